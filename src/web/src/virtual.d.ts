// SPDX-License-Identifier: GPL-3.0-or-later
declare module "virtual:catalogues" {
  export const catalogues: Record<
    string,
    () => Promise<{
      default: { messages: Record<string, string | string[]>; plural: (n: number) => number };
    }>
  >;
}
