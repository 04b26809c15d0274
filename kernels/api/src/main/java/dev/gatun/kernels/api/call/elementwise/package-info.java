/** What each element gets by itself: activations, arithmetic, other dtypes. */
package dev.gatun.kernels.api.call.elementwise;
