// Owns the command `repository verify`: a complete check (verify.ts), and marks on all damaged blocks. Marked blocks no longer count as
// present, so the next backup sends them again.
import { toFarkeepError } from '../../kernel/farkeep-error.ts';
import { markDamage, settleMarks } from './mark-damage.ts';
import { verifyPlace, type VerifyOptions, type VerifyResult } from './verify.ts';

export interface MarkedVerifyResult extends VerifyResult {
  /** Reason why some damage could not be marked; those blocks still count as present. Undefined if all damage is marked. */
  readonly markingProblem: string | undefined;
}

/**
 * Checks everything and marks each damaged pack as soon as it is found. So if the check of a large repository is stopped, its findings so
 * far are kept.
 */
export async function verifyAndMark(options: Omit<VerifyOptions, 'onDamagedPack'>): Promise<MarkedVerifyResult> {
  const { place, logger } = options;
  const marking = { place, logger };
  const written: string[] = [];
  let markingProblem: string | undefined;
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      markingProblem ??= toFarkeepError(error, 'storage.io').message;
      logger.error('Damaged blocks could not be marked and still count as present', { place: place.name, error });
    }
  };
  try {
    const result = await verifyPlace({
      ...options,
      onDamagedPack: (pack) =>
        attempt(async () => {
          written.push(...(await markDamage(marking, [pack])));
        }),
    });
    if (markingProblem === undefined) {
      const checked = [...result.knownMarks, ...written];
      await attempt(() => settleMarks(marking, result.findings, checked, result.betterPlaces));
    }
    return { ...result, markingProblem };
  } finally {
    await place.storage.close();
  }
}
