import { describe, expect, it } from 'vitest';
import {
  handshakeRoutes,
  handshakeSteps,
  keyReceivers,
  lanes,
} from '../../../../services/contracts/models/handshake.ts';
import { exampleSession } from '../../../testing/example-session.ts';
import {
  attemptsOf,
  diagramHeight,
  fitLabel,
  headHeight,
  laneX,
  placeSteps,
  rowCount,
  rowOffsets,
  stepPlaces,
  titleLines,
} from './handshake-layout.ts';

const size = { width: 1000, rowHeight: 20 };
const { steps } = exampleSession('tenant');

describe('the handshake diagram', () => {
  it('has a place for every step, top to bottom in protocol order', () => {
    expect(Object.keys(stepPlaces)).toEqual([...handshakeSteps]);
    const rows = handshakeSteps.map((step) => stepPlaces[step].row);
    expect(rows.every((row, index) => index === 0 || row >= (rows[index - 1] ?? 0) - 1)).toBe(true);
    expect(Math.max(...rows)).toBe(rowCount - 1);
  });

  it('has one lane for each service, hop and receiver of a key, and every step runs between lanes', () => {
    expect(lanes).toEqual(['tenant-service', 'gateway', 'provider-service', 'target-mover', 'source-mover']);
    const reached = new Set(handshakeSteps.map((step) => handshakeRoutes[step].to));
    for (const { party } of keyReceivers) expect(reached).toContain(party);
    const drawn = handshakeSteps.flatMap((step) => [handshakeRoutes[step].from, handshakeRoutes[step].to]);
    expect(new Set(drawn)).toEqual(new Set(lanes));
  });

  it('keeps the lanes apart and inside the drawing', () => {
    const positions = lanes.map((lane) => laneX(lane, size));
    expect(positions).toEqual(positions.toSorted((left, right) => left - right));
    expect(new Set(positions).size).toBe(lanes.length);
    expect(positions[0]).toBeGreaterThan(74);
    expect(positions.at(-1)).toBeLessThan(1000 - 60);
  });

  it('shows one attempt at a time, each step once, below the head and inside the height', () => {
    const placed = placeSteps(steps, 2, size);
    expect(placed.map(({ step }) => step.step)).toEqual([...handshakeSteps]);
    for (const { y, fromX, toX } of placed) {
      expect(y).toBeGreaterThan(headHeight);
      expect(y).toBeLessThan(diagramHeight(size));
      expect(Math.max(fromX, toX)).toBeLessThan(size.width);
    }
    expect(attemptsOf(steps)).toEqual([2, 1]);
  });

  it('never lets two labels of a row overlap', () => {
    for (const width of [900, 1000, 1500]) {
      const placed = placeSteps(steps, 1, { width, rowHeight: 20 });
      for (const left of placed) {
        for (const right of placed) {
          if (left === right || stepPlaces[left.step.step].row !== stepPlaces[right.step.step].row) continue;
          const [from, to] = [left, right].map(({ labelX, labelAnchor, labelWidth }) =>
            labelAnchor === 'start' ? [labelX, labelX + labelWidth] : [labelX - labelWidth, labelX],
          );
          const isApart = (from?.[1] ?? 0) <= (to?.[0] ?? 0) + 1 || (to?.[1] ?? 0) <= (from?.[0] ?? 0) + 1;
          expect(isApart, `${left.step.step} and ${right.step.step} at ${width}`).toBe(true);
        }
      }
    }
  });

  it('shows the time of the first row, and the delay of each other row', () => {
    const rows = rowOffsets(placeSteps(steps, 1, size));
    expect(rows.size).toBe(rowCount);
    expect(rows.get(0)?.offsetMs).toBe(0);
    expect(rows.get(1)?.offsetMs).toBe(46);
    expect(rowOffsets([]).size).toBe(0);
  });

  it('shortens details before titles', () => {
    expect(fitLabel('Login', 'contoso', 300)).toBe('Login · contoso');
    expect(fitLabel('Login', '', 10)).toBe('Login');
    expect(fitLabel('Request the provider', 'gw1.northwind.example:6180', 200)).toBe('Request the provider');
    expect(fitLabel('Relay', 'passed on without being opened', 190)).toMatch(/^Relay · passed on.*…$/);
  });
});

describe('the titles of the lanes', () => {
  it('never reach their neighbors', () => {
    const titles = ['Tenant service', 'Gateway gateway-with-a-very-long-name-of-a-customer', 'Source data mover'];
    for (const width of [560, 640, 800, 1000, 1600]) {
      const size = { width, rowHeight: 20 };
      const gap = laneX('gateway', size) - laneX('tenant-service', size);
      for (const title of titles) {
        const lines = titleLines(title, size);
        expect(lines.length).toBeLessThanOrEqual(2);
        for (const line of lines) expect(line.length * 6.6, `${line} at ${width}`).toBeLessThanOrEqual(gap);
      }
    }
    expect(titleLines('Source data mover', { width: 1600, rowHeight: 20 })).toEqual(['Source data mover']);
    expect(titleLines('Source data mover', { width: 640, rowHeight: 20 })).toEqual(['Source', 'data mover']);
  });
});
