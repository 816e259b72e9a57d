// Owns which page is shown. The shell draws it; features only request a page.
import { create } from 'zustand';
import type { SessionSide } from './clients.ts';
import { overviewRoute } from './route.ts';
import type { Page, Route } from './route.ts';

interface NavigationState {
  readonly route: Route;
}

export const useNavigation = create<NavigationState>(() => ({ route: overviewRoute }));

export function goTo(page: Page): void {
  useNavigation.setState({ route: { page, sessionId: null } });
}

export function goToRoute(route: Route): void {
  useNavigation.setState({ route });
}

export function goToSession(side: SessionSide, sessionId: string): void {
  useNavigation.setState({ route: { page: `${side}/sessions`, sessionId } });
}
