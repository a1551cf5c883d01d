import { testPackages } from "../kit/install-packages.ts";

const packages = testPackages(import.meta.dirname);

/** Installs transformers.js beside these tests. */
export const setup = packages.install;

/** Whether everything that test/onnx/package-lock.json names is there. */
export const onnxIsInstalled = packages.areInstalled;
