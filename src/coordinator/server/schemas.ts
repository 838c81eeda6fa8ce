/** What requests look like (fleet-protocol.md, "The contract"). Unknown keys are ignored, as the client does it. */
import { JOB_ID, WIRE_STAGES } from '../../fleet/protocol.ts';

/** Factories and products are named as jobs are: these names become parts of keys, lines of logs and headers. */
export const NAME = JOB_ID;

const name = { type: 'string', pattern: NAME.source } as const;
const capabilities = {
  type: 'array',
  maxItems: 512,
  items: { type: 'string', pattern: '^[\\x21-\\x7e]{1,300}$' },
} as const;
const epoch = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;

export const heartbeatBody = {
  type: 'object',
  required: ['factoryId', 'capabilities', 'health', 'load'],
  properties: {
    factoryId: name,
    capabilities,
    health: { enum: ['ok', 'degraded', 'draining'] },
    load: { type: 'number', minimum: 0, maximum: 1e6 },
  },
} as const;

export const claimBody = {
  type: 'object',
  required: ['factoryId', 'capabilities'],
  properties: {
    factoryId: name,
    capabilities,
    waitSec: { type: 'number', minimum: 0, nullable: true },
  },
} as const;

export const reportBody = {
  type: 'object',
  required: ['stage', 'leaseEpoch'],
  properties: {
    stage: { enum: WIRE_STAGES },
    leaseEpoch: epoch,
    checkpoint: {
      type: 'object',
      nullable: true,
      required: ['wipBranch', 'wipCommit'],
      properties: {
        wipBranch: { type: 'string', maxLength: 1024 },
        wipCommit: { type: 'string', maxLength: 256 },
      },
    },
  },
} as const;

export const epochBody = {
  type: 'object',
  required: ['leaseEpoch'],
  properties: { leaseEpoch: epoch },
} as const;

export const adoptBody = {
  type: 'object',
  required: ['factoryId', 'id'],
  properties: { factoryId: name, id: name },
} as const;

export const enqueueBody = {
  type: 'object',
  required: ['bodyMd'],
  properties: {
    bodyMd: { type: 'string', minLength: 1 },
    id: name,
    priority: { type: 'integer', minimum: 0, maximum: 9 },
    requires: {
      type: 'array',
      maxItems: 64,
      items: { type: 'string', pattern: '^[a-z][a-z0-9-]{0,31}:[\\x21-\\x7e]{1,255}$' },
    },
  },
} as const;

export const enrolBody = {
  type: 'object',
  required: ['factoryId'],
  properties: { factoryId: name },
} as const;

export const tokenBody = {
  type: 'object',
  required: ['kind'],
  properties: {
    kind: { enum: ['enrolment', 'admin'] },
    factoryId: name,
    ttlSec: { type: 'number', minimum: 1, maximum: 30 * 24 * 3600 },
  },
} as const;
