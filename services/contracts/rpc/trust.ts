// Domain of trust, served by the tenant service: prompts, pins, journal.
import { z } from 'zod';
import { defineDomain } from '../contract.ts';
import {
  pinSchema,
  thumbprintCheckSchema,
  trustJournalEntrySchema,
  trustPromptSchema,
  trustSettingsProblemSchema,
  trustSettingsSchema,
} from '../models/trust.ts';
import { countSchema, emptySchema, idSchema, instantSchema } from '../models/values.ts';
import { rowList } from '../row-list.ts';

export const trustDomain = defineDomain({
  name: 'trust',
  targets: ['tenant'],
  commands: {
    listPrompts: { input: emptySchema, output: z.object({ prompts: rowList(trustPromptSchema) }) },
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
    listPins: { input: emptySchema, output: z.object({ pins: rowList(pinSchema) }) },
    revokePin: { input: z.object({ pinId: idSchema }), output: emptySchema },
    /**
     * Trusts a certificate again whose pin was revoked; the thumbprint has to be given anew. Errors trust.thumbprint-mismatch,
     * trust.thumbprint-malformed; call.conflict for a pin that is not revoked.
     */
    reinstatePin: { input: z.object({ pinId: idSchema, pasted: z.string().max(1000) }), output: pinSchema },
    journal: {
      input: emptySchema,
      output: z.object({
        entries: rowList(trustJournalEntrySchema),
        /** False when the hash chain is broken; `brokenAt` names the entry. */
        isIntact: z.boolean(),
        brokenAt: z.int().nullable(),
        /** Hash of the last entry that fits; kept elsewhere, it shows a journal that was cut at its end. */
        head: z.string().default(''),
      }),
    },
    /** The pinned providers as the text of a file, to move them to another machine. Certificates only, no secret. */
    exportHosts: { input: emptySchema, output: z.object({ text: z.string(), count: countSchema }) },
    /** Pins the hosts of such a file. Never overwrites a pin: `conflicts` names those that have another one or were revoked here. */
    importHosts: {
      input: z.object({ text: z.string().max(6 * 1024 * 1024) }),
      output: z.object({ added: z.array(z.string()), known: z.array(z.string()), conflicts: z.array(z.string()) }),
    },
    getSettings: {
      input: emptySchema,
      output: trustSettingsSchema.extend({ problems: rowList(trustSettingsProblemSchema) }),
    },
    /** Every file is read first; one that cannot be used is named and nothing changes. */
    setSettings: {
      input: trustSettingsSchema,
      output: trustSettingsSchema.extend({ problems: rowList(trustSettingsProblemSchema) }),
    },
  },
  events: {
    promptRaised: { payload: trustPromptSchema },
    promptSettled: { payload: z.object({ promptId: idSchema, answer: z.enum(['accept', 'refuse', 'withdrawn']) }) },
    pinsChanged: { payload: emptySchema },
    settingsChanged: { payload: trustSettingsSchema },
    /** An announcement of the provider's next certificate was stored, was carried out, or was refused as not genuine (a security warning). */
    announcement: {
      payload: z.object({
        identity: z.string(),
        outcome: z.enum(['stored', 'withdrawn', 'rolled-over', 'refused']),
        sha256: z.string(),
        /** From when the announced certificate is accepted; null unless stored. */
        switchAt: instantSchema.nullable(),
        message: z.string(),
      }),
    },
  },
});
