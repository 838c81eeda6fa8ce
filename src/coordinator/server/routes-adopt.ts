/** `POST /fleet/jobs/:id/adopt`: a result that came too late becomes a new job of the factory that has it. */
import { isRefusal } from '../refusal.ts';
import { ask } from '../store.ts';
import { mustBeFactory } from './caller.ts';
import { type Context, ofJob } from './context.ts';
import { send, sendRefusal } from './problem.ts';
import { adoptBody } from './schemas.ts';
import { jobView } from './views.ts';

interface Adoption {
  readonly factoryId: string;
  readonly id: string;
}

export function adoptRoutes({ app, store }: Context): void {
  app.post('/fleet/jobs/:id/adopt', { schema: { body: adoptBody } }, async (request, reply) => {
    const { factoryId, id } = request.body as Adoption;
    const asked = ofJob(request, factoryId, id);
    if (isRefusal(asked)) return sendRefusal(reply, asked);
    const { productId, jobId, caller, key } = asked;
    const refusal = mustBeFactory(caller, factoryId);
    if (refusal !== undefined) return sendRefusal(reply, refusal);
    return send(reply, await ask(store, { do: 'adopt', productId, jobId, id, factoryId, key }), jobView);
  });
}
