// Domain of sessions, served by provider and tenant: both see the same session, each from its side.
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

/** What a session did and under which keys; signed by the provider identity. No key, no file name. */
export const sessionEvidenceSchema = z.object({
  farkeepEvidence: z.literal(1),
  /** Canonical JSON that was signed: exactly these bytes, UTF-8. */
  statement: z.string(),
  /** Base64 of the signature over `statement`; null when the provider could not be reached for it. */
  signature: z.string().nullable(),
  /** "RSA-PSS-SHA256" or "ECDSA-SHA256" or "ECDSA-SHA384". */
  algorithm: z.string().nullable(),
  /** PEM of the provider identity that signed. */
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
     * Ends the running attempt in order and keeps what is durable; answered when both sides know it. Safe to call twice.
     * Errors: call.conflict (nothing to pause), call.timeout (the other side does not answer).
     */
    pause: { input: sessionInput, output: emptySchema },
    /** The next attempt, with a new key exchange. The provider can resume only what it has paused itself. Errors: call.conflict. */
    resume: { input: sessionInput, output: emptySchema },
    evidence: { input: sessionInput, output: sessionEvidenceSchema },
  },
  events: {
    /** State, attempt, error or totals changed; also the first sight of a session. */
    changed: { payload: sessionSummarySchema },
    /** At most 10 a second for each session; the last one is never dropped. */
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
