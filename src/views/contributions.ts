/**
 * Every id that package.json contributes, typed once. A test compares this file with package.json, so that
 * neither can name what the other does not know.
 */
export const COMMANDS = {
  runnerStart: 'agentQueue.runner.start',
  runnerStop: 'agentQueue.runner.stop',
  homeOpen: 'agentQueue.home.open',
  outputShow: 'agentQueue.output.show',
  fleetStatus: 'agentQueue.fleet.status',
  fleetToggle: 'agentQueue.fleet.toggle',
  fleetHeartbeat: 'agentQueue.fleet.heartbeat',
  fleetClaim: 'agentQueue.fleet.claim',
  fleetDrain: 'agentQueue.fleet.drain',
  fleetResume: 'agentQueue.fleet.resume',
  fleetSetToken: 'agentQueue.fleet.setToken',
  fleetReleaseLease: 'agentQueue.fleet.releaseLease',
  fleetJoin: 'agentQueue.fleet.join',
  coordinatorStart: 'agentQueue.coordinator.start',
  coordinatorStop: 'agentQueue.coordinator.stop',
  jobNew: 'agentQueue.job.new',
  jobAdd: 'agentQueue.job.add',
  jobRun: 'agentQueue.job.run',
  jobCancel: 'agentQueue.job.cancel',
  jobRetry: 'agentQueue.job.retry',
  jobLog: 'agentQueue.job.log',
  jobChanges: 'agentQueue.job.changes',
  jobSendBack: 'agentQueue.job.sendBack',
  jobApprove: 'agentQueue.job.approve',
  jobReject: 'agentQueue.job.reject',
  jobShip: 'agentQueue.job.ship',
  quarantineCompare: 'agentQueue.quarantine.compare',
  quarantineAdopt: 'agentQueue.quarantine.adopt',
  quarantineRequeue: 'agentQueue.quarantine.requeue',
  quarantineExport: 'agentQueue.quarantine.export',
  quarantineDiscard: 'agentQueue.quarantine.discard',
  quarantineRestore: 'agentQueue.quarantine.restore',
} as const;

export type CommandId = (typeof COMMANDS)[keyof typeof COMMANDS];

/** What rows of the Inbox do when clicked, where no command of the palette fits. Not contributed: nobody types it. */
export const SHOW_MORE = 'agentQueue.inbox.showMore';
/** The same of the Quarantine view. */
export const SHOW_MORE_QUARANTINE = 'agentQueue.quarantine.showMore';
/** What a click on a job does. */
export const OPEN_JOB = 'agentQueue.inbox.open';

export const CONTAINER = 'agentQueue';

export const VIEWS = {
  inbox: 'agentQueue.inbox',
  fleet: 'agentQueue.fleet',
  quarantine: 'agentQueue.quarantine',
} as const;

/** The editor's name for what is dragged within the Inbox. */
export const DRAGGED = `application/vnd.code.tree.${VIEWS.inbox.toLowerCase()}`;

/** Keys of the settings, without the shared section `agentQueue`. */
export const SETTINGS_SECTION = 'agentQueue';
export const SETTINGS = {
  home: 'home',
  maxParallel: 'runner.maxParallel',
  engine: 'runner.engine',
  engines: 'engines',
  repositories: 'repositories',
  quarantineDays: 'quarantine.retentionDays',
  budgetPerJobUsd: 'budget.perJobUsd',
  budgetPerJobTokens: 'budget.perJobTokens',
  budgetPerDayUsd: 'budget.perDayUsd',
  budgetPerDayTokens: 'budget.perDayTokens',
  fleetEnabled: 'fleet.enabled',
  fleetApi: 'fleet.api',
  fleetProductId: 'fleet.productId',
  fleetFactoryId: 'fleet.factoryId',
  fleetLeaseRenewSec: 'fleet.leaseRenewSec',
  fleetCapabilities: 'fleet.capabilities',
  fleetAllowEngines: 'fleet.allowEngines',
  fleetAllowRoots: 'fleet.allowRoots',
  fleetAllowYolo: 'fleet.allowYolo',
  fleetAllowCommands: 'fleet.allowCommands',
  fleetPushCheckpoints: 'fleet.pushCheckpoints',
} as const;

/** Context keys, for `when` clauses. */
export const CONTEXT_KEYS = {
  /** `stopped`, `here` or `elsewhere`; unset until the home has been read. */
  runner: 'agentQueue.runner',
  /** `empty`, `filled` or `failed`; unset until the home has been read. */
  inbox: 'agentQueue.inbox.state',
  /** `on`, `shadow` or `off`. */
  fleet: 'agentQueue.fleet.mode',
  /** Whether this factory is draining. */
  draining: 'agentQueue.fleet.draining',
} as const;

/** Schemes of the read-only documents that the views open. */
export const SCHEMES = {
  log: 'agent-queue-log',
  git: 'agent-queue-git',
  fleet: 'agent-queue-fleet',
} as const;
