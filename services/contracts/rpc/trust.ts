// Domain of trust, served by the tenant service: prompts, pins, journal.
import { z } from 'zod';
import { defineDomain } from '../contract.ts';
import { defaultPorts } from '../default-ports.ts';
import { certificateSummarySchema } from '../models/certificate.ts';
import {
  pinSchema,
  thumbprintCheckSchema,
  tlsInfoSchema,
  trustDecisionSchema,
  trustJournalEntrySchema,
  trustPromptSchema,
  trustReasonSchema,
  trustSettingsProblemSchema,
  trustSettingsSchema,
} from '../models/trust.ts';
import { countSchema, emptySchema, hostSchema, idSchema, instantSchema, portSchema } from '../models/values.ts';
import { rowList } from '../row-list.ts';

export const trustDomain = defineDomain({
  name: 'trust',
  targets: ['tenant'],
  commands: {
    listPrompts: { input: emptySchema, output: z.object({ prompts: rowList(trustPromptSchema) }) },
    /** Compares pasted text with the presented certificate. Error trust.thumbprint-malformed for text that is not a thumbprint. */
    verifyThumbprint: {
      input: z.object({ promptId: idSchema, pasted: z.string().max(1000) }),
      output: thumbprintCheckSchema,
    },
    /** Answers a prompt. A certificate is accepted only after a match or with `isCompared`. */
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
     * Ends the revocation of a pin; the thumbprint must be given again. Errors trust.thumbprint-mismatch, trust.thumbprint-malformed;
     * call.conflict for a pin that is not revoked.
     */
    reinstatePin: { input: z.object({ pinId: idSchema, pasted: z.string().max(1000) }), output: pinSchema },
    journal: {
      input: emptySchema,
      output: z.object({
        entries: rowList(trustJournalEntrySchema),
        /** False when the hash chain is broken; `brokenAt` names the entry. */
        isIntact: z.boolean(),
        brokenAt: z.int().nullable(),
        /** Hash of the last valid entry. A copy of the hash that is kept elsewhere reveals whether later entries were deleted. */
        head: z.string().default(''),
      }),
    },
    /**
     * Looks at the certificate of a gateway and decides as a connection would. Sends nothing else, stores nothing and asks nobody. Errors:
     * gateway.unreachable, tls.version, tls.failed, trust.thumbprint-malformed.
     */
    check: {
      input: z.object({
        host: hostSchema,
        port: portSchema.default(defaultPorts.gateway.gateway),
        /** A thumbprint as a person pastes it; it then decides instead of the pins. */
        fingerprint: z.string().max(1000).optional(),
      }),
      output: trustDecisionSchema.extend({
        /** The name under which a certificate of this address is pinned. */
        identity: z.string(),
        findings: rowList(z.object({ reason: trustReasonSchema, isRefusing: z.boolean(), message: z.string() })),
        /** The next step after a refusal. */
        advice: z.string().nullable(),
        certificate: certificateSummarySchema,
        tls: tlsInfoSchema,
      }),
    },
    /**
     * Pins the certificate of a gateway by its thumbprint, before a provider is added there or before a job asks. Errors:
     * trust.thumbprint-mismatch, trust.thumbprint-malformed, trust.refused.
     */
    acceptInAdvance: {
      input: z.object({
        host: hostSchema,
        port: portSchema.default(defaultPorts.gateway.gateway),
        fingerprint: z.string().min(1).max(1000),
      }),
      output: z.object({ identity: z.string(), sha256: z.string() }),
    },
    /** The pinned providers as the text of a file, for another machine. Contains certificates only, no secret. */
    exportHosts: { input: emptySchema, output: z.object({ text: z.string(), count: countSchema }) },
    /**
     * Pins the hosts of such a file. Never overwrites a pin: `conflicts` names identities that have another pin or whose certificate was
     * revoked here.
     */
    importHosts: {
      input: z.object({ text: z.string().max(6 * 1024 * 1024) }),
      output: z.object({ added: z.array(z.string()), known: z.array(z.string()), conflicts: z.array(z.string()) }),
    },
    getSettings: {
      input: emptySchema,
      output: trustSettingsSchema.extend({ problems: rowList(trustSettingsProblemSchema) }),
    },
    /** Reads every file first. If a file is unusable, the error names the file and nothing changes. */
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
    /**
     * An announcement of the provider's next certificate was stored, was carried out, or was refused as not genuine (a security warning).
     */
    announcement: {
      payload: z.object({
        identity: z.string(),
        outcome: z.enum(['stored', 'withdrawn', 'rolled-over', 'refused']),
        sha256: z.string(),
        /** Date from which the announced certificate is accepted; null unless an announcement is stored. */
        switchAt: instantSchema.nullable(),
        message: z.string(),
      }),
    },
  },
});
