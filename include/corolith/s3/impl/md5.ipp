// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/s3/detail/digest.hpp>
#include <corolith/s3/detail/md5.hpp>

#include <openssl/evp.h>

#include <array>
#include <memory>
#include <span>

namespace corolith::inline v0::s3::detail {

COROLITH_DECL bool append_digest(std::vector<std::byte>& to, std::string_view digits) {
  constexpr std::string_view known = "0123456789abcdef";
  if (digits.size() != 32 || digits.find_first_not_of(known) != std::string_view::npos) return false;
  for (std::size_t i = 0; i < digits.size(); i += 2)
    to.push_back(static_cast<std::byte>(known.find(digits[i]) * 16 + known.find(digits[i + 1])));
  return true;
}

COROLITH_DECL std::string md5_hexadecimal(const std::vector<byte_span>& pieces) {
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  std::array<std::byte, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  bool done = context != nullptr && EVP_DigestInit_ex(context.get(), EVP_md5(), nullptr) == 1;
  for (const byte_span piece : pieces) done = done && EVP_DigestUpdate(context.get(), piece.data(), piece.size()) == 1;
  done = done && EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(digest.data()), &size) == 1;
  return done ? to_hex(std::span(digest).first(size)) : std::string();  // some systems forbid MD5
}

}  // namespace corolith::inline v0::s3::detail
