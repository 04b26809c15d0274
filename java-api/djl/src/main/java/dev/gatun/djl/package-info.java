/** The engine {@code Gatun} of DJL: its arrays, models and predictors over Gatun's own. */
package dev.gatun.djl;
