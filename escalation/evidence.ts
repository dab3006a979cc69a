import { canonicalJson, contentAddress, plainJson } from './canonical-json.js';
import type { Classification } from './classify.js';
import type { FailureReport } from './failure-report.js';
import type { EscalationStore, Evidence } from './ports.js';
import { redact } from './redact.js';
import { shorten } from './shorten.js';

/** Most bytes of a bundle's canonical JSON. */
export const MAX_EVIDENCE_BYTES = 256 * 1024;

/** Room for the list of what was left out to be written into the bundle. */
const ROOM = 64;

export interface EvidenceParts {
  readonly report: FailureReport;
  readonly classification: Classification;
  /** What the job knows of itself; null for what is no job, or when it could not be asked. */
  readonly job: Readonly<Record<string, unknown>> | null;
  readonly similar: Awaited<ReturnType<EscalationStore['similar']>>;
}

/** All that somebody needs who decides: redacted, of bounded size, and named by the hash of its canonical JSON. */
export function buildEvidence(parts: EvidenceParts, maxBytes = MAX_EVIDENCE_BYTES): Evidence {
  const { report, classification, job, similar } = parts;
  const { code, failureClass, message, details, source, pipeline, target, owner, at } = report;
  const whole = {
    failure: { code, failureClass, message, details, source, pipeline, target, owner, at },
    classification,
    job,
    similar,
  };
  // Redacting first: half of a secret is one, and so is half of a connection string.
  const clean = plainJson(redact(plainJson(whole), report.settings.sensitiveColumns)) as Record<string, unknown>;
  if (Buffer.byteLength(canonicalJson(clean)) <= maxBytes) return addressed(clean);
  const { value, truncated } = shorten(clean, maxBytes - ROOM);
  return addressed({ ...value, truncated });
}

const addressed = (bundle: Readonly<Record<string, unknown>>): Evidence => ({ hash: contentAddress(bundle), bundle });
