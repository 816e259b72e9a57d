// Owns the rows of the table, with the project's goals. Must not measure.
import { borgEncryption } from './peers/borg.ts';
import type { ConsoleFigures } from './console/console-figures.ts';
import { handshakesAtATime, type HandshakeResult } from './gateway/handshakes.ts';
import { atLeast, atMost, measured, type Row } from './figures/report.ts';
import type { Figures } from './figures/statistics.ts';

export function throughputRows(figures: Figures, treeFiles: number): Row[] {
  const ratio = (data: string, what: string, other: string): number | undefined =>
    figures.ratio(`${data}: farkeep ${what} MB/s`, `${data}: ${other} ${what} MB/s`);
  return [
    atLeast('backup of random data / raw path', ratio('random', 'backup', 'raw path'), 0.45),
    atLeast('backup of random data / restic', ratio('random', 'backup', 'restic'), 2.5),
    atLeast('backup of a real tree / restic', ratio('tree', 'backup', 'restic'), 1.5),
    atLeast('restore of random data / raw path', ratio('random', 'restore', 'raw path'), 0.6),
    atLeast('restore of random data / restic', ratio('random', 'restore', 'restic'), 1.5),
    atLeast('restore of a real tree / restic', ratio('tree', 'restore', 'restic'), 1.5),
    atMost(
      `second backup of an unchanged tree of ${treeFiles} files`,
      figures.median('tree: farkeep unchanged s'),
      3,
      's',
    ),
    atMost('peak memory of any data mover', figures.highest('peak'), 250, 'MiB'),
  ];
}

/** Rows about both data movers together, without the gateway. */
export function costRows(figures: Figures): Row[] {
  const rows: Row[] = [];
  for (const [data, text] of [
    ['random', 'random data'],
    ['tree', 'a real tree'],
  ] as const) {
    for (const what of ['backup', 'restore'] as const) {
      rows.push(
        measured(`CPU of both movers, ${what} of ${text}`, figures.median(`${data}: farkeep ${what} CPU s/GB`), 's/GB'),
      );
    }
    const wire = figures.median(`${data}: farkeep backup bytes on the wire per byte`);
    rows.push(measured(`bytes on the wire for each byte of ${text}, first backup`, wire, ''));
  }
  return rows;
}

export function borgRows(figures: Figures): Row[] {
  const ratio = (data: string, what: string): number | undefined =>
    figures.ratio(`${data}: farkeep ${what} MB/s`, `${data}: borg ${what} MB/s`);
  const note = `borg: ${borgEncryption}, borg serve through a pipe, with no SSH and so no encrypted connection`;
  return [
    measured('backup of random data / borg', ratio('random', 'backup'), '', note),
    measured('backup of a real tree / borg', ratio('tree', 'backup'), ''),
    measured('restore of random data / borg', ratio('random', 'restore'), ''),
    measured('restore of a real tree / borg', ratio('tree', 'restore'), ''),
  ];
}

export function gatewayRows(figures: Figures): Row[] {
  const mbPerS = (name: string): number | undefined => figures.median(`gateway: ${name} MB/s`);
  return [
    atMost('gateway with 1,000 idle connections', figures.median('gateway: 1,000 idle MiB'), 150, 'MiB'),
    measured('gateway alone, one stream', mbPerS('one stream'), 'MB/s'),
    measured('gateway alone, four streams', mbPerS('four streams'), 'MB/s'),
    measured(
      'one stream through the gateway / without it',
      figures.ratio('gateway: one stream MB/s', 'gateway: without, one stream MB/s'),
      '',
      'the same sender and receiver; on a machine with two cores the third process takes its share from them',
    ),
    measured('CPU of the gateway', figures.median('gateway: four streams CPU s/GB'), 's/GB'),
  ];
}

export function handshakeRows(result: HandshakeResult | undefined): Row[] {
  const at = `${handshakesAtATime} at a time`;
  return [
    measured(
      'TLS handshakes through one gateway',
      result?.tls.perSecond,
      '/s',
      `${at}, TLS 1.3 in full (X25519MLKEM768, ${result?.keyType ?? 'the provider certificate'}); the clients run on the same machine`,
    ),
    measured('  CPU of the provider for one', result?.tls.providerCpuMs, 'ms'),
    measured('  CPU of the gateway for one', result?.tls.gatewayCpuMs, 'ms'),
    measured(
      'whole logins through one gateway',
      result?.login.perSecond,
      '/s',
      result === undefined
        ? undefined
        : `${at}; the tenant's PBKDF2 with ${result.iterations} rounds takes ${result.pbkdf2Ms.toFixed(0)} ms of a core each and sets the pace`,
    ),
    measured('  CPU of the provider for one', result?.login.providerCpuMs, 'ms'),
  ];
}

export function startUpRows(figures: Figures): Row[] {
  const seconds = (name: string): number | undefined => figures.median(`start-up: ${name} s`);
  return [
    measured('start-up of farkeep --version', seconds('farkeep --version'), 's'),
    measured('start-up of farkeep status', seconds('farkeep status'), 's', 'with a tenant service that answers'),
    ...(['provider', 'gateway', 'tenant'] as const).map((role) =>
      measured(`start-up of the ${role} service until it is ready`, seconds(role), 's'),
    ),
    measured(
      'start-up of the console until its first page is usable',
      seconds('console'),
      's',
      'started by Playwright',
    ),
  ];
}

const percentGoal = 2;

export function consoleRows(result: ConsoleFigures | undefined, electron: string | undefined): Row[] {
  const rendering = `software rendering on a virtual display${electron === undefined ? '' : `, ${electron}`}; percent of one core`;
  const frames = result?.frames;
  const share = 'this is what the data movers on the same cores leave to any page';
  return [
    atMost(
      'console main process during a backup, session view open',
      result?.sessionOpen.main,
      percentGoal,
      '%',
      rendering,
    ),
    atMost('console main process during a backup, another page open', result?.otherPage.main, percentGoal, '%'),
    measured('console main process while nothing runs', result?.idle.main, '%'),
    measured('renderer during a backup, session view open', result?.sessionOpen.renderer, '%'),
    measured('renderer during a backup, another page open', result?.otherPage.renderer, '%'),
    measured('GPU process during a backup, session view open', result?.sessionOpen.gpu, '%'),
    measured('GPU process during a backup, another page open', result?.otherPage.gpu, '%'),
    measured('session view: time between frames, median', frames?.medianMs, 'ms'),
    measured('session view: time between frames, 95th percentile', frames?.p95Ms, 'ms'),
    measured('session view: time between frames, 99th percentile', frames?.p99Ms, 'ms'),
    measured('session view: longest time between frames', frames?.longestMs, 'ms'),
    measured('session view: tasks of more than 50 ms', frames?.longTasks, ''),
    measured('another page: time between frames, 95th percentile', result?.otherPageFrames.p95Ms, 'ms', share),
    measured('another page: longest time between frames', result?.otherPageFrames.longestMs, 'ms'),
  ];
}
