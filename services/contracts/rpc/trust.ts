// Domain of trust, served by the tenant service: prompts, pins, journal.
import { z } from 'zod';
import { defineDomain } from '../contract.ts';
import { pinSchema, thumbprintCheckSchema, trustJournalEntrySchema, trustPromptSchema } from '../models/trust.ts';
import { emptySchema, idSchema } from '../models/values.ts';

export const trustDomain = defineDomain({
  name: 'trust',
  targets: ['tenant'],
  commands: {
    listPrompts: { input: emptySchema, output: z.object({ prompts: z.array(trustPromptSchema) }) },
    /** Compares pasted text with the presented certificate. Error trust.thumbprint-malformed for other text. */
    verifyThumbprint: {
      input: z.object({ promptId: idSchema, pasted: z.string().max(1000) }),
      output: thumbprintCheckSchema,
    },
    /** A changed certificate is only accepted after a match or with `isCompared`. */
    answerPrompt: {
      input: z.object({
        promptId: idSchema,
        answer: z.enum(['accept', 'refuse']),
        isCompared: z.boolean().default(false),
      }),
      output: emptySchema,
    },
    listPins: { input: emptySchema, output: z.object({ pins: z.array(pinSchema) }) },
    revokePin: { input: z.object({ pinId: idSchema }), output: emptySchema },
    journal: {
      input: emptySchema,
      output: z.object({
        entries: z.array(trustJournalEntrySchema),
        /** False when the hash chain is broken; `brokenAt` names the entry. */
        isIntact: z.boolean(),
        brokenAt: z.int().nullable(),
      }),
    },
  },
  events: {
    promptRaised: { payload: trustPromptSchema },
    promptSettled: { payload: z.object({ promptId: idSchema, answer: z.enum(['accept', 'refuse', 'withdrawn']) }) },
    pinsChanged: { payload: emptySchema },
  },
});
