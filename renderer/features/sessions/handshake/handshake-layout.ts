// Owns the position of each step in the handshake diagram. Pure geometry: no drawing, no texts.
import { handshakeRoutes, handshakeSteps, lanes } from '../../../../services/contracts/models/handshake.ts';
import type { HandshakeStepName, KeyName, Lane } from '../../../../services/contracts/models/handshake.ts';
import type { HandshakeStep } from '../../../../services/contracts/models/session.ts';

export type StepShape =
  /** A message from one lane to another. */
  | 'arrow'
  /** A message over a local link: it crosses no network and no gateway. */
  | 'local'
  /** An event in one place. */
  | 'dot'
  /** An encrypted connection that stays. */
  | 'bar';

export type StepTone = 'channel' | KeyName;

interface StepPlace {
  readonly row: number;
  readonly shape: StepShape;
  /** The end at which the label starts. A label with `end` runs to the left. */
  readonly label?: 'start' | 'end';
  /** The distance in pixels by which a dot is moved to the side if two dots are in the same place. */
  readonly shift?: number;
}

/** Steps that belong together share a row. The rows follow the order of docs/protocol.md, sections 2 and 4. */
export const stepPlaces: Readonly<Record<HandshakeStepName, StepPlace>> = {
  'gateway-connect': { row: 0, shape: 'arrow' },
  'gateway-forward': { row: 0, shape: 'arrow' },
  'certificate-presented': { row: 1, shape: 'arrow' },
  'certificate-checked': { row: 2, shape: 'dot' },
  'channel-established': { row: 3, shape: 'bar' },
  login: { row: 4, shape: 'arrow' },
  'session-authorized': { row: 5, shape: 'dot', label: 'end', shift: -7 },
  'key-a-created': { row: 5, shape: 'dot', shift: 7 },
  'key-a-to-target': { row: 6, shape: 'local' },
  'key-a-to-tenant': { row: 6, shape: 'arrow' },
  'key-b-created': { row: 7, shape: 'dot' },
  'key-b-to-source': { row: 7, shape: 'local', label: 'end' },
  'tunnel-opened': { row: 8, shape: 'bar' },
  'key-b-delivered': { row: 9, shape: 'arrow' },
  'key-b-proven': { row: 10, shape: 'arrow' },
  'streams-open': { row: 11, shape: 'bar' },
};

export const rowCount = 12;

export interface DiagramSize {
  readonly width: number;
  readonly rowHeight: number;
}

const timeGutter = 74;
const firstLaneMargin = 50;
const lastLaneMargin = 72;
export const headHeight = 26;

export function diagramHeight({ rowHeight }: DiagramSize): number {
  return headHeight + rowCount * rowHeight + 4;
}

export function laneX(lane: Lane, { width }: DiagramSize): number {
  const first = timeGutter + firstLaneMargin;
  const gap = (width - first - lastLaneMargin) / (lanes.length - 1);
  return Math.round(first + lanes.indexOf(lane) * gap);
}

/** Between lanes that are closer than this, the longest title in one line would touch its neighbor. */
const oneLineGap = 128;
/** About the width of a letter of a title. */
const titleLetterWidth = 6.6;

/** A title in one line, or in two lines if the lanes are close together. A name that still does not fit is cut. */
export function titleLines(title: string, size: DiagramSize): readonly string[] {
  const gap = laneX('gateway', size) - laneX('tenant-service', size);
  if (gap >= oneLineGap && title.length * titleLetterWidth < gap) return [title];
  const at = title.indexOf(' ');
  const lines = at === -1 ? [title] : [title.slice(0, at), title.slice(at + 1)];
  const most = Math.max(4, Math.floor(gap / titleLetterWidth) - 1);
  return lines.map((line) => (line.length > most ? `${line.slice(0, most - 1)}…` : line));
}

export interface PlacedStep {
  readonly step: HandshakeStep;
  readonly shape: StepShape;
  readonly tone: StepTone;
  readonly fromX: number;
  readonly toX: number;
  /** The y position of the line, or the center of a bar or dot. */
  readonly y: number;
  readonly labelX: number;
  readonly labelAnchor: 'start' | 'end';
  /** The largest width of the label. */
  readonly labelWidth: number;
}

const labelGap = 10;

function placeStep(step: HandshakeStep, size: DiagramSize): PlacedStep {
  const { row, shape, label = 'start', shift = 0 } = stepPlaces[step.step];
  const { from, to, key: tone = 'channel' } = handshakeRoutes[step.step];
  const y = headHeight + row * size.rowHeight + Math.round(size.rowHeight * 0.72);
  const fromX = laneX(from, size) + shift;
  const toX = laneX(to, size) + shift;
  const left = Math.min(fromX, toX);
  const right = Math.max(fromX, toX);
  if (shape === 'dot') {
    const labelX = label === 'start' ? fromX + labelGap : fromX - labelGap;
    // The dot of Key B is where the line of Key B to the source begins. So the label ends at the lane of the provider service.
    const limit = step.step === 'key-b-created' ? laneX('provider-service', size) : size.width;
    return {
      step,
      shape,
      tone,
      fromX,
      toX,
      y,
      labelX,
      labelAnchor: label,
      labelWidth: label === 'start' ? limit - labelX : labelX - timeGutter,
    };
  }
  const labelX = label === 'start' ? left + labelGap : right - labelGap;
  const labelWidth =
    step.step === 'key-b-to-source' ? right - laneX('provider-service', size) - labelGap : right - left - 2 * labelGap;
  return { step, shape, tone, fromX, toX, y, labelX, labelAnchor: label, labelWidth };
}

/** The steps of one attempt, in protocol order. */
export function placeSteps(steps: readonly HandshakeStep[], attempt: number, size: DiagramSize): readonly PlacedStep[] {
  return steps
    .filter((step) => step.attempt === attempt)
    .toSorted((left, right) => handshakeSteps.indexOf(left.step) - handshakeSteps.indexOf(right.step))
    .map((step) => placeStep(step, size));
}

/** Attempts that have steps, latest first. */
export function attemptsOf(steps: readonly HandshakeStep[]): readonly number[] {
  return [...new Set(steps.map(({ attempt }) => attempt))].toSorted((left, right) => right - left);
}

/** A detail with fewer letters is useless. */
const leastDetail = 10;

/** In pixels, for text of 12 px. Measuring would need a drawn page. The estimate is rather too wide than too narrow. */
function letterWidth(letter: string): number {
  if (/[A-Z0-9_@%&]/.test(letter)) return 8;
  return /[ijlt.,:;|'!]/.test(letter) ? 4 : 6.6;
}

function textWidth(text: string): number {
  let width = 0;
  for (const letter of text) width += letterWidth(letter);
  return width;
}

/**
 * Returns title and detail if both texts fit, otherwise the title and a shortened detail, otherwise only the title. `width` is in pixels.
 */
export function fitLabel(title: string, detail: string, width: number): string {
  if (detail === '') return title;
  const full = `${title} · ${detail}`;
  if (textWidth(full) <= width) return full;
  for (let length = detail.length - 1; length >= leastDetail; length -= 1) {
    const shortened = `${title} · ${detail.slice(0, length).trimEnd()}…`;
    if (textWidth(shortened) <= width) return shortened;
  }
  return title;
}

/** Milliseconds since the attempt's first step. Rows show this instead of twelve almost equal times. */
export function rowOffsets(
  placed: readonly PlacedStep[],
): ReadonlyMap<number, { readonly y: number; readonly at: string; readonly offsetMs: number }> {
  const firstAt = placed[0]?.step.at;
  const rows = new Map<number, { readonly y: number; readonly at: string; readonly offsetMs: number }>();
  if (firstAt === undefined) return rows;
  for (const { step, y } of placed) {
    const { row } = stepPlaces[step.step];
    if (rows.has(row)) continue;
    rows.set(row, { y, at: step.at, offsetMs: Math.max(0, Date.parse(step.at) - Date.parse(firstAt)) });
  }
  return rows;
}
