import { carryOut } from './carry-out.ts';
import type { Handler } from './handler.ts';

export const shipJob: Handler = async (app, args) => {
  await carryOut(app, 'ship', args);
};

export const retryJob: Handler = async (app, args) => {
  await carryOut(app, 'retry', args);
};
