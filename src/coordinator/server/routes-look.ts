/** What everybody with a token for the product may look at. */
import type { FastifyRequest } from 'fastify';
import { WIRE_STAGES, type WireStage } from '../../fleet/protocol.ts';
import { invalid, isRefusal, type Refusal } from '../refusal.ts';
import { ask } from '../store.ts';
import { type Context, callerOf, isName, ofJob } from './context.ts';
import { send, sendRefusal } from './problem.ts';
import { eventView, factoryView, jobView, runView } from './views.ts';

const MOST = 500;
const USUAL = 100;

export function lookRoutes({ app, store }: Context): void {
  app.get('/fleet/jobs/:id', async (request, reply) => {
    const asked = ofJob(request);
    if (isRefusal(asked)) return sendRefusal(reply, asked);
    const { productId, jobId } = asked;
    const result = await ask(store, { do: 'job', productId, jobId });
    return send(reply, result, (answer) => ({ ...jobView(answer), bodyMd: answer.bodyMd }));
  });

  app.get('/fleet/jobs/:id/runs', async (request, reply) => {
    const { productId } = callerOf(request);
    const { id: jobId } = request.params as { id: string };
    const result = await ask(store, { do: 'runs', productId, jobId });
    return send(reply, result, ({ runs }) => ({ runs: runs.map(runView) }));
  });

  /** `after`: the number of the last event that is known already. */
  app.get('/fleet/jobs/:id/events', async (request, reply) => {
    const { productId } = callerOf(request);
    const { id: jobId } = request.params as { id: string };
    const limit = numberIn(request, 'limit', USUAL);
    const after = numberIn(request, 'after', 0);
    if (typeof limit === 'object') return sendRefusal(reply, limit);
    if (typeof after === 'object') return sendRefusal(reply, after);
    const most = Math.min(limit, MOST);
    const result = await ask(store, { do: 'events', productId, jobId, after, limit: most });
    return send(reply, result, ({ events }) => ({ events: events.map(eventView) }));
  });

  app.get('/fleet/jobs/:id/why', async (request, reply) => {
    const { productId, factoryId: own } = callerOf(request);
    const { id: jobId } = request.params as { id: string };
    const factoryId = textIn(request, 'factoryId') ?? own;
    if (factoryId === null || !isName(factoryId))
      return sendRefusal(reply, invalid('factoryId: expected the name of a factory.'));
    return send(reply, await ask(store, { do: 'why', productId, jobId, factoryId }), (answer) => ({
      factoryId,
      ...answer,
    }));
  });

  /** Newest first; `cursor` is what the page before gave as `next`. */
  app.get('/fleet/jobs', async (request, reply) => {
    const { productId } = callerOf(request);
    const stage = textIn(request, 'stage');
    if (stage !== undefined && !(WIRE_STAGES as readonly string[]).includes(stage))
      return sendRefusal(reply, invalid(`stage: expected one of ${WIRE_STAGES.join(', ')}.`));
    const limit = numberIn(request, 'limit', USUAL);
    const before = numberIn(request, 'cursor', Number.MAX_SAFE_INTEGER);
    if (typeof limit === 'object') return sendRefusal(reply, limit);
    if (typeof before === 'object') return sendRefusal(reply, before);
    const most = Math.max(1, Math.min(limit, MOST));
    const asked = { productId, stage: stage as WireStage | undefined, limit: most, before };
    const { jobs, now } = await ask(store, { do: 'jobs', ...asked });
    const last = jobs.at(-1);
    return {
      jobs: jobs.map((job) => jobView({ job, now })),
      next: jobs.length === most && last !== undefined ? String(last.seq) : null,
    };
  });

  app.get('/fleet/factories', async (request, reply) => {
    const { productId } = callerOf(request);
    const limit = numberIn(request, 'limit', MOST);
    if (typeof limit === 'object') return sendRefusal(reply, limit);
    const asked = { productId, limit: Math.min(limit, MOST) };
    const { factories } = await ask(store, { do: 'factories', ...asked });
    return { factories: factories.map(factoryView) };
  });
}

function textIn(request: FastifyRequest, name: string): string | undefined {
  const value = (request.query as Record<string, unknown>)[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function numberIn(request: FastifyRequest, name: string, otherwise: number): number | Refusal {
  const value = (request.query as Record<string, unknown>)[name];
  if (value === undefined) return otherwise;
  return typeof value === 'string' && /^\d{1,15}$/.test(value)
    ? Number(value)
    : invalid(`${name}: expected a whole number.`);
}
