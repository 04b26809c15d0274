/** Gradients: what was computed is recorded, and gone through backwards. */
package dev.gatun.autograd;
