/** Where the images and the root file systems of containers lie. */
export const containerdFolder = '/var/lib/containerd';

/** Folders below which programs are started: those that kbs installs, and those in volumes of pods. */
export const programFolders: readonly string[] = ['/usr/local', '/opt', '/var/lib'];

/** What kbs asks the file system of. */
export const folders: readonly string[] = ['/etc', ...programFolders, containerdFolder];

const debianLibraries = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu'] as const;

/** Where a driver lies that comes in an image of its own. */
const imageLibraries = '/usr/local/nvidia/lib64';

/** Folders in which programs find the libraries of NVIDIA's driver, by distribution. */
export const nvidiaLibraries: readonly string[] = ['/usr/lib64', ...debianLibraries, '/usr/lib', imageLibraries];

/** Folders that have the libraries themselves where the default ones only have links: Debian's, and that of images. */
export const nvidiaLibrariesBehindLinks: readonly string[] = [
  ...debianLibraries.map((folder) => `${folder}/nvidia/current`),
  imageLibraries,
];
