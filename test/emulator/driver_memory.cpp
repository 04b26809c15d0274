// The driver's memory: the pool, pinned memory and copies.
#include <cstring>

#include "driver.h"
#include "memory.h"

using namespace gatun::emulator;
using namespace gatun::emulator::driver;

Result driver::check_device_range(const char* call, const void* address, size_t bytes) {
  if (bytes != 0 && !in_allocation(address, bytes)) {
    return broken(kInvalidValue, std::string(call) + ": " + what_is_wrong(address, bytes));
  }
  return kSuccess;
}

void driver::forget_writes(void* address, size_t bytes) {
  std::memset(last_writes(address), 0, (bytes / 2 + 1) * sizeof(uint64_t));
}

API cuMemGetInfo_v2(size_t* free, size_t* total) {
  ENTER_CONTEXT("cuMemGetInfo")
  *total = device_bytes_total();
  *free = *total - device_bytes_used();
  return kSuccess;
}

API cuDeviceGetDefaultMemPool(void** pool, int) {
  ENTER("cuDeviceGetDefaultMemPool")
  *pool = reinterpret_cast<void*>(0x1000);
  return kSuccess;
}

API cuMemPoolSetAttribute(void*, int, void*) {
  ENTER("cuMemPoolSetAttribute")
  return kSuccess;
}

API cuMemPoolGetAttribute(void*, int which, void* value) {
  ENTER("cuMemPoolGetAttribute")
  const bool high = which == 6 || which == 8;
  const uint64_t bytes = high ? device_bytes_peak() : device_bytes_used();
  std::memcpy(value, &bytes, sizeof bytes);
  return kSuccess;
}

API cuMemPoolTrimTo(void*, size_t) {
  ENTER("cuMemPoolTrimTo")
  return kSuccess;
}

API cuMemAllocAsync(Pointer* address, size_t bytes, void* stream) {
  ENTER_CONTEXT("cuMemAllocAsync")
  count_bytes("cuMemAllocAsync", bytes);
  if (bytes == 0) {
    return kInvalidValue;
  }
  if (stream_of(stream)->capture != nullptr) {
    return refuse_capture("cuMemAllocAsync", stream_of(stream));
  }
  void* block = allocate_device(bytes);
  *address = reinterpret_cast<Pointer>(block);
  return block == nullptr ? kOutOfMemory : kSuccess;
}

API cuMemFreeAsync(Pointer address, void* stream) {
  if (std::lock_guard<std::recursive_mutex> guard(state().lock); state().sticky != kSuccess) {
    // The memory of a lost device is gone.
    free_device(pointer(address));
  }
  ENTER_CONTEXT("cuMemFreeAsync")
  if (stream_of(stream)->capture != nullptr) {
    return refuse_capture("cuMemFreeAsync", stream_of(stream));
  }
  return submit("cuMemFreeAsync", stream, [address] {
    return free_device(pointer(address))
               ? kSuccess
               : broken(kInvalidValue, "cuMemFreeAsync: no allocation begins there");
  });
}

API cuMemHostAlloc(void** host, size_t bytes, unsigned) {
  ENTER_UNSAFE("cuMemHostAlloc")
  count_bytes("cuMemHostAlloc", bytes);
  *host = allocate_pinned(bytes);
  return *host == nullptr ? kOutOfMemory : kSuccess;
}

API cuMemFreeHost(void* host) {
  ENTER_UNSAFE("cuMemFreeHost")
  return free_pinned(host) ? kSuccess : kInvalidValue;
}

API cuMemHostGetDevicePointer_v2(Pointer* address, void* host, unsigned) {
  ENTER_CONTEXT("cuMemHostGetDevicePointer")
  *address = reinterpret_cast<Pointer>(host);
  return kSuccess;
}

API cuMemcpyHtoDAsync_v2(Pointer target, const void* source, size_t bytes, void* stream) {
  ENTER_CONTEXT("cuMemcpyHtoDAsync")
  count_bytes("cuMemcpyHtoDAsync", bytes);
  if (stream_of(stream)->capture != nullptr && !is_pinned(source, bytes)) {
    return refuse_capture("cuMemcpyHtoDAsync", stream_of(stream));
  }
  // Memory that is not pinned is staged before the call returns.
  std::shared_ptr<std::vector<char>> staged;
  if (!is_pinned(source, bytes)) {
    const char* p = static_cast<const char*>(source);
    staged = std::make_shared<std::vector<char>>(p, p + bytes);
  }
  return submit("cuMemcpyHtoDAsync", stream, [=] {
    if (staged == nullptr && !is_pinned(source, bytes)) {
      return broken(kInvalidValue, "cuMemcpyHtoDAsync: pinned memory that was freed");
    }
    const Result result = check_device_range("cuMemcpyHtoDAsync", pointer(target), bytes);
    if (result == kSuccess && bytes != 0) {
      std::memcpy(pointer(target), staged == nullptr ? source : staged->data(), bytes);
      forget_writes(pointer(target), bytes);
    }
    return result;
  });
}

API cuMemcpyDtoHAsync_v2(void* target, Pointer source, size_t bytes, void* stream) {
  ENTER_CONTEXT("cuMemcpyDtoHAsync")
  count_bytes("cuMemcpyDtoHAsync", bytes);
  const bool to_pinned = is_pinned(target, bytes);
  if (stream_of(stream)->capture != nullptr && !to_pinned) {
    return refuse_capture("cuMemcpyDtoHAsync", stream_of(stream));
  }
  const Result result = submit("cuMemcpyDtoHAsync", stream, [=] {
    if (to_pinned && !is_pinned(target, bytes)) {
      return broken(kInvalidValue, "cuMemcpyDtoHAsync: pinned memory that was freed");
    }
    const Result checked = check_device_range("cuMemcpyDtoHAsync", pointer(source), bytes);
    if (checked == kSuccess && bytes != 0) {
      std::memcpy(target, pointer(source), bytes);
    }
    return checked;
  });
  // Memory that is not pinned is written before the call returns.
  return result != kSuccess || to_pinned ? result : drain(stream_of(stream));
}

API cuMemcpyDtoDAsync_v2(Pointer target, Pointer source, size_t bytes, void* stream) {
  ENTER_CONTEXT("cuMemcpyDtoDAsync")
  count_bytes("cuMemcpyDtoDAsync", bytes);
  return submit("cuMemcpyDtoDAsync", stream, [=] {
    Result result = check_device_range("cuMemcpyDtoDAsync", pointer(source), bytes);
    if (result == kSuccess) {
      result = check_device_range("cuMemcpyDtoDAsync", pointer(target), bytes);
    }
    if (result == kSuccess && bytes != 0) {
      std::memmove(pointer(target), pointer(source), bytes);
      forget_writes(pointer(target), bytes);
    }
    return result;
  });
}

API cuMemsetD8Async(Pointer target, unsigned char value, size_t bytes, void* stream) {
  ENTER_CONTEXT("cuMemsetD8Async")
  count_bytes("cuMemsetD8Async", bytes);
  return submit("cuMemsetD8Async", stream, [=] {
    const Result result = check_device_range("cuMemsetD8Async", pointer(target), bytes);
    if (result == kSuccess && bytes != 0) {
      std::memset(pointer(target), value, bytes);
      forget_writes(pointer(target), bytes);
    }
    return result;
  });
}
