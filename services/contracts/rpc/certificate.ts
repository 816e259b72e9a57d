// Domain of the two certificate slots, served by the provider service. The wizard first makes a candidate; nothing changes until `install`.
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
    /** The installed certificate. */
    show: { input: slotInput, output: storedCertificateSchema },
    /** The subject that `generate` would use; makes nothing. */
    describeGenerate: {
      input: slotInput,
      output: z.object({
        subject: z.string(),
        keyBits: z.int(),
        validYears: z.int(),
        keyProtection: keyProtectionSchema,
      }),
    },
    /** Makes a key and a self-signed certificate; takes seconds and can be canceled. */
    generate: {
      input: slotInput.extend({
        friendlyName: displayNameSchema,
        /** Default: the value in the settings. */
        keyBits: rsaKeyBitsSchema.optional(),
      }),
      output: certificateCandidateSchema,
    },
    /** Certificates for the page Pick Certificate. */
    listPickable: {
      input: slotInput,
      output: z.object({
        certificates: rowList(pickableCertificateSchema),
        unreadableStores: rowList(unreadableStoreSchema).default([]),
      }),
    },
    pick: { input: slotInput.extend({ pickId: z.string().min(1).max(500) }), output: certificateCandidateSchema },
    /**
     * Reads a file on the service's machine and stores nothing. Can be canceled; a file with a million key derivation rounds takes seconds.
     */
    importFile: {
      input: slotInput.extend({
        file: z.string().min(1).max(4096),
        keyFile: z.string().max(4096).optional(),
        password: z.string().max(1024).optional(),
        friendlyName: displayNameSchema.optional(),
        /** Identifier chosen by the caller; `importProgressed` events carry it. Without this identifier, no progress is reported. */
        progressId: z.string().min(1).max(64).optional(),
      }),
      output: certificateCandidateSchema,
    },
    /** Stores a candidate but does not install it. */
    store: { input: z.object({ candidateId: idSchema }), output: storedCertificateSchema },
    /** Stores the candidate, if given, and installs the certificate: new connections use it at once. */
    install: {
      input: slotInput.extend({ candidateId: idSchema.optional(), certificateId: idSchema.optional() }),
      output: storedCertificateSchema,
    },
    getSettings: { input: emptySchema, output: certificateSettingsSchema },
    /**
     * Changes the given settings. `protection` re-encrypts all private keys: `os-keychain` is refused when the service did not get a key of
     * a keychain; after `key-file` no keychain is used until a person requests it again. `installed` is then sent for each slot.
     */
    setSettings: {
      input: z.object({
        keyBits: rsaKeyBitsSchema.optional(),
        protection: certificateSettingsSchema.shape.protection.shape.kind.optional(),
      }),
      output: certificateSettingsSchema,
    },
    /** Changes the friendly name of a stored certificate. */
    rename: {
      input: z.object({ certificateId: idSchema, friendlyName: displayNameSchema }),
      output: storedCertificateSchema,
    },
    /** Refused while the certificate is installed or announced. */
    remove: { input: z.object({ certificateId: idSchema }), output: emptySchema },
    /** Tenants, gateways, consoles and invitations that use the installed certificate. With a candidate the notes say what would change. */
    usage: {
      input: slotInput.extend({ candidateId: idSchema.optional() }),
      output: z.object({ users: rowList(certificateUserSchema), total: countSchema }),
    },
    /**
     * Announces the next provider identity to the tenants; it is installed at `switchAt`. A candidate is stored first. Replaces an earlier
     * announcement. Refused for the installed certificate, for a date in the past, and for a date more than 400 days ahead.
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
    /**
     * Cancels the announcement; tenants delete the announced certificate at their next contact. Safe to call when nothing was announced.
     */
    cancelRollover: { input: emptySchema, output: emptySchema },
  },
  events: {
    installed: { payload: z.object({ slot: certificateSlotSchema, certificate: storedCertificateSchema }) },
    /** Progress of a long import, from 0 to 1. */
    importProgressed: { payload: z.object({ progressId: z.string(), share: z.number().min(0).max(1) }) },
    usageChanged: { payload: z.object({ slot: certificateSlotSchema }) },
    /** null when the change was carried out or canceled. */
    rolloverChanged: { payload: z.object({ rollover: rolloverSchema.nullable() }) },
  },
});
