// Domain of sessions, served by provider and tenant: each shows the same session from its own side.
import { z } from 'zod';
import { defineDomain } from '../contract.ts';
import {
  bottleneckSchema,
  handshakeStepSchema,
  sessionActionSchema,
  sessionDetailSchema,
  sessionObjectSchema,
  sessionProgressSchema,
  sessionSummarySchema,
  throughputSampleSchema,
} from '../models/session.ts';
import { emptySchema, idSchema, instantSchema } from '../models/values.ts';
import { rowList } from '../row-list.ts';

const sessionInput = z.object({ sessionId: idSchema });

/** A statement of what a session did and under which keys, signed with the provider identity. Contains no key and no file name. */
export const sessionEvidenceSchema = z.object({
  farkeepEvidence: z.literal(1),
  /** The canonical JSON that was signed: exactly these bytes, UTF-8. */
  statement: z.string(),
  /** Base64 of the signature over `statement`; null when the provider could not be reached to sign. */
  signature: z.string().nullable(),
  /** "RSA-PSS-SHA256" or "ECDSA-SHA256" or "ECDSA-SHA384". */
  algorithm: z.string().nullable(),
  /** PEM of the provider identity whose key signed. */
  certificate: z.string().nullable(),
});

export const sessionsDomain = defineDomain({
  name: 'sessions',
  targets: ['provider', 'tenant'],
  commands: {
    /** Newest first. */
    list: {
      input: z.object({ limit: z.int().min(1).max(10_000).default(500) }),
      output: z.object({ sessions: rowList(sessionSummarySchema) }),
    },
    show: { input: sessionInput, output: sessionDetailSchema },
    throughput: { input: sessionInput, output: z.object({ samples: z.array(throughputSampleSchema) }) },
    /** Ends the session on both sides; safe to call twice. */
    cancel: { input: sessionInput, output: emptySchema },
    /**
     * Ends the running attempt in order and keeps the durable data; returns when both sides have paused. Safe to call twice. Errors:
     * call.conflict (nothing to pause), call.timeout (the other side does not answer).
     */
    pause: { input: sessionInput, output: emptySchema },
    /** Starts the next attempt, with a new key exchange. The provider can resume only its own pause. Errors: call.conflict. */
    resume: { input: sessionInput, output: emptySchema },
    evidence: { input: sessionInput, output: sessionEvidenceSchema },
  },
  events: {
    /** Sent when state, attempt, error or totals changed, and for each new session. */
    changed: { payload: sessionSummarySchema },
    /** At most 10 a second for each session; the last one is always sent. */
    progressed: {
      payload: z.object({
        sessionId: idSchema,
        at: instantSchema,
        progress: sessionProgressSchema,
        bottleneck: bottleneckSchema.nullable(),
      }),
    },
    stepped: { payload: z.object({ sessionId: idSchema, step: handshakeStepSchema }) },
    acted: { payload: z.object({ sessionId: idSchema, action: sessionActionSchema }) },
    objectChanged: { payload: z.object({ sessionId: idSchema, object: sessionObjectSchema }) },
    sampled: { payload: z.object({ sessionId: idSchema, sample: throughputSampleSchema }) },
  },
});
