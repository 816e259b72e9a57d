// Domain of cloud repositories, served by the provider service.
import { z } from 'zod';
import { defineDomain } from '../contract.ts';
import { repositorySchema } from '../models/provider.ts';
import { countSchema, displayNameSchema, emptySchema, idSchema } from '../models/values.ts';

const repositoryInput = z.object({ repositoryId: idSchema });

export const damageSchema = z.object({
  pack: z.string().optional(),
  manifest: z.string().optional(),
  reason: z.string(),
  points: z.array(z.string()),
});

export const repositoriesDomain = defineDomain({
  name: 'repositories',
  targets: ['provider'],
  commands: {
    list: { input: emptySchema, output: z.object({ repositories: z.array(repositorySchema) }) },
    add: {
      input: z.object({ name: displayNameSchema, folder: z.string().min(1).max(4096) }),
      output: repositorySchema,
    },
    remove: { input: repositoryInput, output: emptySchema },
    /** Reads every pack and manifest; takes as long as the disk needs. All repositories when none is named. */
    verify: {
      input: z.object({ repositoryId: idSchema.optional() }),
      output: z.object({ ok: z.boolean(), packs: countSchema, points: countSchema, damaged: z.array(damageSchema) }),
    },
    rebuildCatalogue: {
      input: repositoryInput,
      output: z.object({ tenants: countSchema, packs: countSchema, points: countSchema }),
    },
  },
  events: {
    changed: { payload: repositorySchema },
    removed: { payload: repositoryInput },
  },
});
