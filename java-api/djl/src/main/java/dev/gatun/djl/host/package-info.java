/**
 * Arrays in host memory, of all of DJL's types and any strides, and plain loops over them: what the
 * engine computes where the library has no kernel.
 */
package dev.gatun.djl.host;
