const IS_TARGET_PAUSED = `exists (
  select from sluice.target_pause as pause where pause.tenant = job.tenant and pause.target = job.target)`;

/** Whether nobody begins the `job` because its queue is paused. */
export const IS_QUEUE_PAUSED = 'exists (select from sluice.queue_pause as pause where pause.tenant = job.tenant)';

/** Whether nothing holds a queued `job` back: loads into its target do not wait, and its queue is not paused. */
export const IS_CLAIMABLE = `not ${IS_TARGET_PAUSED} and not ${IS_QUEUE_PAUSED}`;
