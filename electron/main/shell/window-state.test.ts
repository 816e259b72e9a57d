import { expect, it } from 'vitest';
import { defaultWindowSize, placeWindow } from './window-state.ts';

const screens = [
  { x: 0, y: 25, width: 1920, height: 1055 },
  { x: 1920, y: 0, width: 1280, height: 1024 },
];
const state = { x: 2000, y: 100, width: 1100, height: 800, isMaximized: false };

it('opens at its last position, also on a second screen', () => {
  expect(placeWindow(state, screens)).toEqual({ x: 2000, y: 100, width: 1100, height: 800 });
});

it('lets the system choose the position if that screen is missing', () => {
  expect(placeWindow(state, screens.slice(0, 1))).toEqual({ width: 1100, height: 800 });
});

it('lets the system choose the position if the title bar could not be reached', () => {
  expect(placeWindow({ ...state, x: 100, y: -400 }, screens)).toEqual({ width: 1100, height: 800 });
  expect(placeWindow({ ...state, x: 3190, y: 100 }, screens)).toEqual({ width: 1100, height: 800 });
});

it('has a default size at the first start', () => {
  expect(placeWindow(null, screens)).toEqual(defaultWindowSize);
});
