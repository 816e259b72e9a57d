// Owns the version that the console tells: the build puts it in (electron/electron-bundle.mjs).
declare const FARKEEP_VERSION: string;

export const productVersion: string = FARKEEP_VERSION;
