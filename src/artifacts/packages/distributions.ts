/** The releases whose packages a bundle can bring, by ID and VERSION_ID of os-release(5). */
export const distributions = ['debian-12', 'debian-13', 'ubuntu-22.04', 'ubuntu-24.04', 'ubuntu-26.04'] as const;

export type Distribution = (typeof distributions)[number];
