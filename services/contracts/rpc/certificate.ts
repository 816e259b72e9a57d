// Domain of the two certificate slots, served by the provider service. The wizard makes a candidate first; nothing changes until `install`.
import { z } from 'zod';
import { defineDomain } from '../contract.ts';
import {
  certificateCandidateSchema,
  certificateSettingsSchema,
  certificateSlotSchema,
  certificateUserSchema,
  keyProtectionSchema,
  pickableCertificateSchema,
  unreadableStoreSchema,
  rsaKeyBitsSchema,
  rolloverSchema,
  storedCertificateSchema,
} from '../models/certificate.ts';
import { countSchema, displayNameSchema, emptySchema, idSchema, instantSchema } from '../models/values.ts';
import { rowList } from '../row-list.ts';

const slotInput = z.object({ slot: certificateSlotSchema });

export const certificateDomain = defineDomain({
  name: 'certificate',
  targets: ['provider'],
  commands: {
    /** All stored certificates, installed ones first. */
    list: { input: emptySchema, output: z.object({ certificates: rowList(storedCertificateSchema) }) },
    /** The certificate in service. */
    show: { input: slotInput, output: storedCertificateSchema },
    /** The subject that Generate would use, before anything is made. */
    describeGenerate: {
      input: slotInput,
      output: z.object({
        subject: z.string(),
        keyBits: z.int(),
        validYears: z.int(),
        keyProtection: keyProtectionSchema,
      }),
    },
    /** Makes a key and a self-signed certificate; takes seconds, can be canceled. */
    generate: {
      input: slotInput.extend({
        friendlyName: displayNameSchema,
        /** Left out: what the settings say. */
        keyBits: rsaKeyBitsSchema.optional(),
      }),
      output: certificateCandidateSchema,
    },
    /** The page Pick Certificate. */
    listPickable: {
      input: slotInput,
      output: z.object({
        certificates: rowList(pickableCertificateSchema),
        unreadableStores: rowList(unreadableStoreSchema).default([]),
      }),
    },
    pick: { input: slotInput.extend({ pickId: z.string().min(1).max(500) }), output: certificateCandidateSchema },
    /** Reads a file on the service's machine and stores nothing. The call can be canceled; a file with a million rounds takes seconds. */
    importFile: {
      input: slotInput.extend({
        file: z.string().min(1).max(4096),
        keyFile: z.string().max(4096).optional(),
        password: z.string().max(1024).optional(),
        friendlyName: displayNameSchema.optional(),
        /** Identifier chosen by the caller; `importProgressed` events carry it. Without it no progress is reported. */
        progressId: z.string().min(1).max(64).optional(),
      }),
      output: certificateCandidateSchema,
    },
    /** Saves a candidate without putting it in service. */
    store: { input: z.object({ candidateId: idSchema }), output: storedCertificateSchema },
    /** Saves the candidate if one is given, and puts the certificate in service: new connections get it at once. */
    install: {
      input: slotInput.extend({ candidateId: idSchema.optional(), certificateId: idSchema.optional() }),
      output: storedCertificateSchema,
    },
    getSettings: { input: emptySchema, output: certificateSettingsSchema },
    /**
     * Changes what is named. `protection` encrypts all private keys anew: `os-keychain` is refused when the service was not given a key of
     * one; after `key-file` no keychain is used until it is asked for again. `installed` is then sent for each slot.
     */
    setSettings: {
      input: z.object({
        keyBits: rsaKeyBitsSchema.optional(),
        protection: certificateSettingsSchema.shape.protection.shape.kind.optional(),
      }),
      output: certificateSettingsSchema,
    },
    /** Refused while the certificate is installed. */
    remove: { input: z.object({ certificateId: idSchema }), output: emptySchema },
    /** Who relies on the certificate in service. With a candidate the notes say what would change with it. */
    usage: {
      input: slotInput.extend({ candidateId: idSchema.optional() }),
      output: z.object({ users: rowList(certificateUserSchema), total: countSchema }),
    },
    /**
     * Announces the next provider identity to the tenants; it is put in service at `switchAt`. A candidate is stored by this. A former
     * announcement is replaced. Refused for the certificate in service, for a date that is over, and for one more than 400 days ahead.
     */
    announceRollover: {
      input: z.object({
        candidateId: idSchema.optional(),
        certificateId: idSchema.optional(),
        switchAt: instantSchema,
      }),
      output: rolloverSchema,
    },
    showRollover: { input: emptySchema, output: z.object({ rollover: rolloverSchema.nullable() }) },
    /** Tenants forget the announced certificate at their next contact. Safe to call when nothing was announced. */
    cancelRollover: { input: emptySchema, output: emptySchema },
  },
  events: {
    installed: { payload: z.object({ slot: certificateSlotSchema, certificate: storedCertificateSchema }) },
    /** Progress of a long import, from 0 to 1. */
    importProgressed: { payload: z.object({ progressId: z.string(), share: z.number().min(0).max(1) }) },
    usageChanged: { payload: z.object({ slot: certificateSlotSchema }) },
    /** Null when it was carried out or canceled. */
    rolloverChanged: { payload: z.object({ rollover: rolloverSchema.nullable() }) },
  },
});
