// Owns which page is shown, and the pages before and after it. The shell draws the page; features only request one.
import { create } from 'zustand';
import type { SessionSide } from './clients.ts';
import { overviewRoute } from './route.ts';
import type { Page, Route } from './route.ts';

export interface NavigationState {
  readonly route: Route;
  /** Pages shown before, the last one at the end. */
  readonly past: readonly Route[];
  /** Pages that the person has left by going back, the next one at the end. */
  readonly future: readonly Route[];
}

const maxPast = 100;

interface Navigation extends NavigationState {
  /** The row that a list page selects when it opens. */
  readonly itemId: string | null;
}

export const useNavigation = create<Navigation>(() => ({ route: overviewRoute, past: [], future: [], itemId: null }));

/** A request for the page that is shown already adds no step to the history. */
export function stepTo(state: NavigationState, route: Route): NavigationState {
  const isSame = state.route.page === route.page && state.route.sessionId === route.sessionId;
  return isSame ? { ...state, route } : { route, past: [...state.past, state.route].slice(-maxPast), future: [] };
}

export function stepBack(state: NavigationState): NavigationState {
  const route = state.past.at(-1);
  if (route === undefined) return state;
  return { route, past: state.past.slice(0, -1), future: [...state.future, state.route] };
}

export function stepForward(state: NavigationState): NavigationState {
  const route = state.future.at(-1);
  if (route === undefined) return state;
  return { route, past: [...state.past, state.route], future: state.future.slice(0, -1) };
}

/** The first page after the start; there is no page before it. */
export function startAt(route: Route): void {
  useNavigation.setState({ route, past: [], future: [], itemId: null });
}

export function goTo(page: Page): void {
  goToRoute({ page, sessionId: null });
}

/** Opens a list page with one of its rows selected. */
export function goToItem(page: Page, itemId: string): void {
  useNavigation.setState((state) => ({ ...stepTo(state, { page, sessionId: null }), itemId }));
}

export function goToRoute(route: Route): void {
  useNavigation.setState((state) => ({ ...stepTo(state, route), itemId: null }));
}

export function goToSession(side: SessionSide, sessionId: string): void {
  goToRoute({ page: `${side}/sessions`, sessionId });
}

export function goBack(): void {
  useNavigation.setState((state) => ({ ...stepBack(state), itemId: null }));
}

export function goForward(): void {
  useNavigation.setState((state) => ({ ...stepForward(state), itemId: null }));
}
