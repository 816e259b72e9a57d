// Owns `repository verify` as an admin means it: check everything, and take what is damaged out of what is offered as present, so that the
// next backup sends it again. The check itself is verify.ts.
import { toFarkeepError } from '../../kernel/farkeep-error.ts';
import { markDamage, settleMarks } from './mark-damage.ts';
import { verifyPlace, type VerifyOptions, type VerifyResult } from './verify.ts';

export interface MarkedVerifyResult extends VerifyResult {
  /** Why the damage could not be marked, and blocks of it still count as present; undefined when there was nothing to mark or it is marked. */
  readonly markingProblem: string | undefined;
}

/** Marks a damaged pack as soon as it is found: what was learned of a large repository is not lost when the check is stopped. */
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
