// Owns the texts about damaged blocks in a session's actions, for the provider admin, with the next step.

const maxNamedPacks = 3;

/** @param packs names below the tenant's folder */
export function damageMarkedText(blocks: number, packs: readonly string[]): string {
  const named = packs.slice(0, maxNamedPacks).join(', ');
  const more = packs.length > maxNamedPacks ? ` and ${packs.length - maxNamedPacks} more` : '';
  return (
    `${count(blocks)} could not be read from ${named}${more} and ${blocks === 1 ? 'does' : 'do'} not count as present any more. ` +
    'Run the job again: what is damaged is sent again. "farkeep repository verify" tells which restore points need it'
  );
}

export function damageReplacedText(blocks: number): string {
  const [verb, pronoun] = blocks === 1 ? ['was', 'it'] : ['were', 'them'];
  return `${count(blocks)} that ${verb} damaged ${verb} sent again; older restore points that share ${pronoun} have ${pronoun} back`;
}

function count(blocks: number): string {
  return blocks === 1 ? '1 block' : `${blocks} blocks`;
}
