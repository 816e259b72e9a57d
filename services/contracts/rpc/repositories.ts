// Domain of cloud repositories, served by the provider service.
import { z } from 'zod';
import { defineDomain } from '../contract.ts';
import { repositorySchema } from '../models/provider.ts';
import { countSchema, emptySchema, idSchema, newNameSchema } from '../models/values.ts';
import { rowList } from '../row-list.ts';

const repositoryInput = z.object({ repositoryId: idSchema });

export const damageSchema = z.object({
  pack: z.string().optional(),
  manifest: z.string().optional(),
  reason: z.string(),
  /** Blocks of the pack that cannot be read, as far as can be known. */
  damagedBlocks: countSchema,
  /** Those that no other pack holds whole. */
  lostBlocks: countSchema,
  /** Restore points that need what is lost. */
  points: z.array(z.string()),
});

export const repositoriesDomain = defineDomain({
  name: 'repositories',
  targets: ['provider'],
  commands: {
    list: { input: emptySchema, output: z.object({ repositories: rowList(repositorySchema) }) },
    add: {
      input: z.object({ name: newNameSchema, folder: z.string().min(1).max(4096) }),
      output: repositorySchema,
    },
    remove: { input: repositoryInput, output: emptySchema },
    /**
     * Reads every pack and manifest; takes as long as the disk needs. All repositories when none is named. What is damaged does not count as
     * present any more, so the next backup that still has it sends it again.
     */
    verify: {
      input: z.object({
        repositoryId: idSchema.optional(),
        /** Also unpacks every block and compares it with its identifier. Slower. */
        isDeep: z.boolean().optional(),
      }),
      output: z.object({
        ok: z.boolean(),
        packs: countSchema,
        points: countSchema,
        damaged: rowList(damageSchema),
        /** Known damage that costs nothing any more: stored again, or needed by no restore point. */
        settled: rowList(damageSchema),
        /** Blocks that were marked as damaged before and are whole. */
        soundAgainBlocks: countSchema,
        /** Why the damage could not be marked, so that it still counts as present. */
        markingProblem: z.string().nullable(),
      }),
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
