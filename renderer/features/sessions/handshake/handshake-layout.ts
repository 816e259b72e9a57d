// Owns the position of each step in the handshake diagram. Pure geometry: no drawing, no texts.
import type { HandshakeStep, HandshakeStepName, Lane } from '../../../../services/contracts/models/session.ts';

export const lanes: readonly Lane[] = ['tenant-service', 'gateway', 'provider-service', 'target-mover', 'source-mover'];

export type StepShape =
  /** A message from one lane to another. */
  | 'arrow'
  /** A message over a local link: it crosses no network and no gateway. */
  | 'local'
  /** An event in one place. */
  | 'dot'
  /** An encrypted connection that stays. */
  | 'bar';

export type StepTone = 'channel' | 'key-a' | 'key-b';

interface StepPlace {
  readonly row: number;
  readonly shape: StepShape;
  readonly from: Lane;
  readonly to: Lane;
  readonly tone: StepTone;
  /** The end at which the label starts. A label with `end` runs to the left. */
  readonly label: 'start' | 'end';
  /** The distance by which a dot is moved to the side if two dots are in the same place. */
  readonly shift: number;
}

const place = (
  row: number,
  shape: StepShape,
  from: Lane,
  to: Lane,
  tone: StepTone,
  label: 'start' | 'end' = 'start',
  shift = 0,
): StepPlace => ({
  row,
  shape,
  from,
  to,
  tone,
  label,
  shift,
});

/** Steps that belong together share a row. The rows follow the order of docs/protocol.md, sections 2 and 4. */
export const stepPlaces: Readonly<Record<HandshakeStepName, StepPlace>> = {
  'gateway-connect': place(0, 'arrow', 'tenant-service', 'gateway', 'channel'),
  'gateway-forward': place(0, 'arrow', 'gateway', 'provider-service', 'channel'),
  'certificate-presented': place(1, 'arrow', 'provider-service', 'tenant-service', 'channel'),
  'certificate-checked': place(2, 'dot', 'tenant-service', 'tenant-service', 'channel'),
  'channel-established': place(3, 'bar', 'tenant-service', 'provider-service', 'channel'),
  login: place(4, 'arrow', 'tenant-service', 'provider-service', 'channel'),
  'session-authorized': place(5, 'dot', 'provider-service', 'provider-service', 'channel', 'end', -7),
  'key-a-created': place(5, 'dot', 'provider-service', 'provider-service', 'key-a', 'start', 7),
  'key-a-to-target': place(6, 'local', 'provider-service', 'target-mover', 'key-a'),
  'key-a-to-tenant': place(6, 'arrow', 'provider-service', 'tenant-service', 'key-a'),
  'key-b-created': place(7, 'dot', 'tenant-service', 'tenant-service', 'key-b'),
  'key-b-to-source': place(7, 'local', 'tenant-service', 'source-mover', 'key-b', 'end'),
  'tunnel-opened': place(8, 'bar', 'tenant-service', 'target-mover', 'key-a'),
  'key-b-delivered': place(9, 'arrow', 'tenant-service', 'target-mover', 'key-b'),
  'key-b-proven': place(10, 'arrow', 'target-mover', 'tenant-service', 'key-b'),
  'streams-open': place(11, 'bar', 'gateway', 'source-mover', 'key-b'),
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
  const { row, shape, from, to, tone, label, shift } = stepPlaces[step.step];
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
  const order = Object.keys(stepPlaces);
  return steps
    .filter((step) => step.attempt === attempt)
    .toSorted((left, right) => order.indexOf(left.step) - order.indexOf(right.step))
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
