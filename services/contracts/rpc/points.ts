// Domain of restore points and restore, served by the tenant service.
import { z } from 'zod';
import { defineDomain } from '../contract.ts';
import { overwriteRuleSchema, pointEntrySchema, restorePointSchema } from '../models/tenant.ts';
import { emptySchema, idSchema } from '../models/values.ts';

export const pointsDomain = defineDomain({
  name: 'points',
  targets: ['tenant'],
  commands: {
    /** Oldest first, from every provider that answers; the others are named in `unreachable`. */
    list: {
      input: emptySchema,
      output: z.object({
        points: z.array(restorePointSchema),
        unreachable: z.array(z.object({ provider: z.string(), message: z.string() })),
      }),
    },
    /** One folder of a point; "" is its root. The first call for a point fetches its tree through a session. */
    listFolder: {
      input: z.object({ pointId: idSchema, path: z.string().max(16_384).default('') }),
      output: z.object({ entries: z.array(pointEntrySchema), isTruncated: z.boolean() }),
    },
    find: {
      input: z.object({ pointId: idSchema, text: z.string().min(1).max(500) }),
      output: z.object({ entries: z.array(pointEntrySchema), isTruncated: z.boolean() }),
    },
    /** Starts a restore session and returns at once. No paths means the whole point. */
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
