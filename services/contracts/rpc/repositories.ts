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
  /** Blocks of the pack that cannot be read, as far as is known. */
  damagedBlocks: countSchema,
  /** Damaged blocks without an intact copy in another pack. */
  lostBlocks: countSchema,
  /** Restore points that need lost blocks. */
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
     * Reads every pack and manifest; the disk limits the speed. Checks all repositories when none is named. A damaged block no longer
     * counts as present, so the next backup with this block sends it again.
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
        /** Damage without effect: the block was stored again, or no restore point needs it. */
        settled: rowList(damageSchema),
        /** Blocks that were marked as damaged and are intact. */
        soundAgainBlocks: countSchema,
        /** Why the damage could not be marked; the damaged blocks then still count as present. */
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
