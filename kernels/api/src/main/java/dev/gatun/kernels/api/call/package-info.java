/**
 * The kernel families as records, a package each: a record is one call, its docstring the
 * specification (formula, shapes with named axes, source), its constructor the check of the
 * arguments. A {@link dev.gatun.kernels.api.device.Kernels} implementation runs them.
 */
package dev.gatun.kernels.api.call;
