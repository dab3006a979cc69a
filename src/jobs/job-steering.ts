import type { Job } from './job.js';
import type { Caller } from './job-service.js';

/**
 * How jobs are stopped and started again, from any gateway. Each call may come twice: a job that is where it shall be stays
 * as it is.
 */
export interface JobSteering {
  /**
   * A job that nobody runs is cancelled at once; a running one is told to stop. Chunks that are committed stay in a target
   * that is loaded straight.
   * @param rollback whether its rows are removed, and it is cancelled once they are; refused when rows would stay
   * @throws SluiceError JOB_NOT_FOUND, STATE_NOT_ALLOWED, ROLLBACK_NOT_POSSIBLE
   */
  cancel(caller: Caller, jobId: string, rollback: boolean): Promise<Job>;
  /**
   * A job that nobody runs is paused at once; a running one is told to stop, and keeps what is loaded.
   * @throws SluiceError JOB_NOT_FOUND, STATE_NOT_ALLOWED
   */
  pause(caller: Caller, jobId: string): Promise<Job>;
  /** A paused job goes on with the parts that are left. @throws SluiceError JOB_NOT_FOUND, STATE_NOT_ALLOWED */
  resume(caller: Caller, jobId: string): Promise<Job>;
  /**
   * A job that ended without success is tried again; one that waits for its next attempt makes it now.
   * @throws SluiceError JOB_NOT_FOUND, STATE_NOT_ALLOWED; UNAVAILABLE when what it has staged cannot be removed now
   */
  retry(caller: Caller, jobId: string): Promise<Job>;
}
