#ifndef GATUN_FEATURES_H
#define GATUN_FEATURES_H

#include <cstdint>

namespace gatun {

// The instruction sets of the processor that the operating system lets programs use, as bits of
// gatun_feature.
int32_t detect_features();

}  // namespace gatun

#endif
