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
    /**
     * Tests a folder for `add`, or, with a repository, for `set`. Changes nothing. Its errors are those of the two commands, with the field
     * "folder".
     */
    checkFolder: {
      input: z.object({ folder: z.string().min(1).max(4096), repositoryId: idSchema.optional() }),
      output: z.object({
        /** The whole path, without "..". */
        folder: z.string(),
        /** `missing`: `add` makes the folder. `known`: it was a repository before, and its content is kept. */
        state: z.enum(['missing', 'new', 'known']),
      }),
    },
    /**
     * A new name, or the folder to which the repository was moved. Jobs of tenants keep working with the former name. Errors: call.conflict
     * (name or folder in use, the folder does not hold this repository), service.locked (a session uses the repository, for a new folder).
     */
    set: {
      input: repositoryInput.extend({
        name: newNameSchema.optional(),
        folder: z.string().min(1).max(4096).optional(),
      }),
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
