// Domain of restore points and restore, served by the tenant service.
import { z } from 'zod';
import { defineDomain } from '../contract.ts';
import { overwriteRuleSchema, pointEntrySchema, restorePointSchema, unreadablePointSchema } from '../models/tenant.ts';
import { rowList } from '../row-list.ts';
import { emptySchema, idSchema, instantSchema } from '../models/values.ts';

export const pointsDomain = defineDomain({
  name: 'points',
  targets: ['tenant'],
  commands: {
    /** Oldest first, from every provider that answers. `unreachable` names the providers that do not answer. */
    list: {
      input: emptySchema,
      output: z.object({
        points: rowList(restorePointSchema),
        unreachable: rowList(z.object({ provider: z.string(), message: z.string() })),
        /** Restore points that exist but cannot be restored. */
        unreadable: rowList(unreadablePointSchema).default([]),
      }),
    },
    /**
     * Removes a restore point, readable or not, from all lists. This version does not free its space. Errors: call.not-found, call.conflict
     * (a session uses the point), protocol.feature (the provider does not support deletion).
     */
    delete: {
      input: z.object({ pointId: idSchema }),
      output: z.object({
        pointId: idSchema,
        providerName: z.string(),
        repository: z.string(),
        deletedAt: instantSchema,
      }),
    },
    /** One folder of a restore point; "" is its root. The first call for a restore point fetches its manifest through a session. */
    listFolder: {
      input: z.object({ pointId: idSchema, path: z.string().max(16_384).default('') }),
      output: z.object({ entries: rowList(pointEntrySchema), isTruncated: z.boolean() }),
    },
    find: {
      input: z.object({ pointId: idSchema, text: z.string().min(1).max(500) }),
      output: z.object({ entries: rowList(pointEntrySchema), isTruncated: z.boolean() }),
    },
    /** Starts a restore session and returns at once. An empty list of paths means the whole point. */
    restore: {
      input: z.object({
        pointId: idSchema,
        paths: z.array(z.string().min(1).max(16_384)).max(100_000).default([]),
        destination: z.string().min(1).max(4096),
        overwrite: overwriteRuleSchema.default('never'),
      }),
      output: z.object({ sessionId: idSchema }),
    },
  },
  events: {
    changed: { payload: emptySchema },
  },
});
