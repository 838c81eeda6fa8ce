/** What the holder of a lease calls: every request carries an epoch. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Checkpoint, WireStage } from '../../fleet/protocol.ts';
import { isRefusal } from '../refusal.ts';
import type { FencedCall } from '../rules/fence.ts';
import { ask } from '../store.ts';
import { type Context, ofJob } from './context.ts';
import { send, sendRefusal } from './problem.ts';
import { epochBody, reportBody } from './schemas.ts';
import { jobView } from './views.ts';

interface Report {
  readonly stage: WireStage;
  readonly leaseEpoch: number;
  readonly checkpoint?: Checkpoint | null;
}

export function leaseRoutes({ app, store }: Context): void {
  const fenced = async (request: FastifyRequest, reply: FastifyReply, call: FencedCall) => {
    const asked = ofJob(request, call);
    if (isRefusal(asked)) return sendRefusal(reply, asked);
    const { productId, jobId, key, caller } = asked;
    const operation = { do: 'fenced', productId, jobId, call, caller: caller.factoryId, key } as const;
    return send(reply, await ask(store, operation), jobView);
  };

  app.patch('/fleet/jobs/:id', { schema: { body: reportBody } }, (request, reply) => {
    const { stage, leaseEpoch, checkpoint } = request.body as Report;
    const kept = checkpoint && { wipBranch: checkpoint.wipBranch, wipCommit: checkpoint.wipCommit };
    return fenced(request, reply, { what: 'report', epoch: leaseEpoch, stage, checkpoint: kept ?? null });
  });
  app.post('/fleet/jobs/:id/lease/renew', { schema: { body: epochBody } }, (request, reply) => {
    const { leaseEpoch } = request.body as { leaseEpoch: number };
    return fenced(request, reply, { what: 'renew', epoch: leaseEpoch });
  });
  app.post('/fleet/jobs/:id/lease/release', { schema: { body: epochBody } }, (request, reply) => {
    const { leaseEpoch } = request.body as { leaseEpoch: number };
    return fenced(request, reply, { what: 'release', epoch: leaseEpoch });
  });
}
