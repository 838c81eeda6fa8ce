import { COMMANDS, type CommandId } from '../contributions.ts';
import { addToInbox } from './add.ts';
import { cancelJob } from './cancel.ts';
import { showChanges } from './changes.ts';
import { joinFleet, startCoordinator, stopCoordinator } from './coordinator.ts';
import { claimNext, drain, releaseLease, resume, sendHeartbeat, setToken, showFleetStatus } from './fleet.ts';
import type { Handler } from './handler.ts';
import { openHome, showOutput } from './home.ts';
import { showLog } from './log.ts';
import { newJob } from './new.ts';
import {
  adoptQuarantined,
  compareQuarantined,
  discardQuarantined,
  exportQuarantined,
  requeueQuarantined,
  restoreQuarantined,
} from './quarantine.ts';
import { approveJob, rejectJob, sendJobBack } from './review.ts';
import { runNow } from './run.ts';
import { startRunner, stopRunner } from './runner.ts';
import { retryJob, shipJob } from './ship.ts';
import { toggleFleet } from './toggle-fleet.ts';

export const HANDLERS: Readonly<Record<CommandId, Handler>> = {
  [COMMANDS.runnerStart]: startRunner,
  [COMMANDS.runnerStop]: stopRunner,
  [COMMANDS.homeOpen]: openHome,
  [COMMANDS.outputShow]: showOutput,
  [COMMANDS.fleetStatus]: showFleetStatus,
  [COMMANDS.fleetToggle]: toggleFleet,
  [COMMANDS.fleetHeartbeat]: sendHeartbeat,
  [COMMANDS.fleetClaim]: claimNext,
  [COMMANDS.fleetDrain]: drain,
  [COMMANDS.fleetResume]: resume,
  [COMMANDS.fleetSetToken]: setToken,
  [COMMANDS.fleetReleaseLease]: releaseLease,
  [COMMANDS.fleetJoin]: joinFleet,
  [COMMANDS.coordinatorStart]: startCoordinator,
  [COMMANDS.coordinatorStop]: stopCoordinator,
  [COMMANDS.jobNew]: newJob,
  [COMMANDS.jobAdd]: addToInbox,
  [COMMANDS.jobRun]: runNow,
  [COMMANDS.jobCancel]: cancelJob,
  [COMMANDS.jobRetry]: retryJob,
  [COMMANDS.jobLog]: showLog,
  [COMMANDS.jobChanges]: showChanges,
  [COMMANDS.jobSendBack]: sendJobBack,
  [COMMANDS.jobApprove]: approveJob,
  [COMMANDS.jobReject]: rejectJob,
  [COMMANDS.jobShip]: shipJob,
  [COMMANDS.quarantineCompare]: compareQuarantined,
  [COMMANDS.quarantineAdopt]: adoptQuarantined,
  [COMMANDS.quarantineRequeue]: requeueQuarantined,
  [COMMANDS.quarantineExport]: exportQuarantined,
  [COMMANDS.quarantineDiscard]: discardQuarantined,
  [COMMANDS.quarantineRestore]: restoreQuarantined,
};
