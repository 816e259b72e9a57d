import { describe, expect, it } from 'vitest';
import { extendTo, moveCurrent, noSelection, selectAll, selectOne, selectWith, toggleKey } from './selection.ts';
import type { Selection } from './selection.ts';

const order = ['a', 'b', 'c', 'd', 'e'];
const keysOf = ({ keys }: Selection): readonly string[] => [...keys].toSorted();

describe('a selection of rows', () => {
  it('is one row after a click', () => {
    const two = toggleKey(selectOne('a'), 'c');
    expect(keysOf(selectWith(two, 'd', order, { isRange: false, isToggle: false }))).toEqual(['d']);
  });

  it('adds a row with Ctrl, and takes it out again', () => {
    const two = selectWith(selectOne('a'), 'c', order, { isRange: false, isToggle: true });
    expect(keysOf(two)).toEqual(['a', 'c']);
    expect(keysOf(toggleKey(two, 'a'))).toEqual(['c']);
    expect(toggleKey(two, 'a').current).toBe('a');
  });

  it('is a range with Shift, in both directions, from the same start', () => {
    const down = selectWith(selectOne('b'), 'd', order, { isRange: true, isToggle: false });
    expect(keysOf(down)).toEqual(['b', 'c', 'd']);
    const up = extendTo(down, 'a', order);
    expect(keysOf(up)).toEqual(['a', 'b']);
    expect(up.current).toBe('a');
  });

  it('starts a range at the last row that Ctrl changed', () => {
    expect(keysOf(extendTo(toggleKey(selectOne('a'), 'c'), 'd', order))).toEqual(['c', 'd']);
  });

  it('begins anew if the start of the range is not shown', () => {
    expect(keysOf(extendTo(noSelection, 'c', order))).toEqual(['c']);
    expect(keysOf(extendTo(selectOne('gone'), 'c', order))).toEqual(['c']);
  });

  it('keeps its rows while the focus moves', () => {
    const moved = moveCurrent(selectOne('a'), 'c');
    expect(keysOf(moved)).toEqual(['a']);
    expect(moved.current).toBe('c');
  });

  it('selects all shown rows and nothing else', () => {
    const all = selectAll(selectOne('c'), order);
    expect(keysOf(all)).toEqual(order);
    expect(all.current).toBe('c');
    expect(selectAll(noSelection, order).current).toBe('a');
    expect(selectAll(noSelection, []).current).toBeNull();
  });

  it('holds ten thousand rows', () => {
    const many = Array.from({ length: 10_000 }, (_item, index) => `row ${index}`);
    expect(selectAll(noSelection, many).keys.size).toBe(10_000);
    const range = extendTo(selectOne('row 10'), 'row 9989', many);
    expect(range.keys.size).toBe(9980);
    expect([range.keys.has('row 9'), range.keys.has('row 10'), range.keys.has('row 9990')]).toEqual([
      false,
      true,
      false,
    ]);
    let grown: Selection = selectOne('row 0');
    for (const key of many.slice(1, 2000)) grown = extendTo(grown, key, many);
    expect(grown.keys.size).toBe(2000);
  });
});
