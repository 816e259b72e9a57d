export const providerTexts = {} as const;
