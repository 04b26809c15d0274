/** The checks that the records share; not exported. */
package dev.gatun.kernels.api.checks;
