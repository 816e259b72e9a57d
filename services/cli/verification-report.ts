// Owns the report of `farkeep repository verify`: findings and the next step.
import type { CommandOutput } from '../contracts/contract.ts';
import type { repositoriesDomain } from '../contracts/rpc/repositories.ts';
import { formatCount, formatCounted } from './quantities.ts';
import { formatTable } from './text-table.ts';

type Verification = CommandOutput<typeof repositoriesDomain, 'verify'>;
type Damage = Verification['damaged'][number];

export function formatVerification(report: Verification): string {
  const { damaged, settled, packs, points, soundAgainBlocks, markingProblem } = report;
  const lines: string[] = [];
  if (report.ok) lines.push(`Intact: ${formatCounted(packs, 'pack')}, ${formatCounted(points, 'restore point')}.`);
  else lines.push('Damaged:', formatDamage(damaged));
  if (soundAgainBlocks > 0)
    lines.push(
      '',
      `${blocks(soundAgainBlocks)} that ${were(soundAgainBlocks)} damaged before ${are(soundAgainBlocks)} complete again.`,
    );
  if (settled.length > 0) {
    lines.push(
      '',
      'Previously damaged; sent again since then, or no longer needed by any restore point:',
      formatDamage(settled),
    );
  }
  const nextStep = formatNextStep(damaged, markingProblem);
  if (nextStep !== undefined) lines.push('', nextStep);
  return lines.join('\n');
}

function formatDamage(damages: readonly Damage[]): string {
  return formatTable(
    damages,
    [
      {
        title: 'WHAT',
        value: ({ pack, manifest }) => (pack === undefined ? `manifest ${manifest ?? '?'}` : `pack ${pack}`),
      },
      { title: 'REASON', value: ({ reason }) => reason },
      { title: 'DAMAGED', value: ({ damagedBlocks }) => formatCount(damagedBlocks), align: 'right' },
      { title: 'LOST', value: ({ lostBlocks }) => formatCount(lostBlocks), align: 'right' },
      { title: 'RESTORE POINTS', value: ({ points: names }) => names.join(', ') || 'none' },
    ],
    '',
  );
}

function formatNextStep(damaged: readonly Damage[], markingProblem: string | null): string | undefined {
  if (markingProblem !== null) {
    return (
      `The damage could not be marked: ${markingProblem}\nThe damaged blocks still count as present and would not be sent again. ` +
      'Next: make the folder writable for the service, then verify again.'
    );
  }
  const lostCount = damaged.reduce((sum, { lostBlocks }) => sum + lostBlocks, 0);
  if (lostCount > 0) {
    return (
      `${blocks(lostCount)} ${are(lostCount)} lost and no longer ${lostCount === 1 ? 'counts' : 'count'} as present. Next: run the job again at the tenant\n` +
      '(farkeep job run NAME): the blocks are sent again, and older restore points that share them are complete again. Then verify once more.'
    );
  }
  if (damaged.some(({ pack }) => pack !== undefined))
    return 'No block was lost: each damaged block has another, undamaged copy.';
  return undefined;
}

function blocks(count: number): string {
  return count === 1 ? '1 block' : `${formatCount(count)} blocks`;
}

function are(count: number): string {
  return count === 1 ? 'is' : 'are';
}

function were(count: number): string {
  return count === 1 ? 'was' : 'were';
}
