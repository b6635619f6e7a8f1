/* vulnerabilities.c - see facts.h. */
#include "demo/facts.h"

#include "base/str.h"

/* Vectors that repeat. */
#define RCE    "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"    /* 9.8 */
#define RCE_S  "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"    /* 10.0 */
#define RCE_H  "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H"    /* 8.1 */
#define RCE_HS "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:C/C:H/I:H/A:H"    /* 9.0 */
#define RCE_UI "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H"    /* 8.8 */
#define DOS    "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"    /* 7.5 */
#define LEAK   "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"    /* 7.5 */
#define READ   "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:H"    /* 9.1 */
#define FORGE  "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N"    /* 9.1 */
#define LOCAL  "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H"    /* 7.8 */
#define DOS_L  "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L"    /* 5.3 */
#define DOS_H  "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:N/A:H"    /* 5.9 */
#define LEAK_H "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N"    /* 5.9 */
#define DOS_F  "CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:N/I:N/A:H"    /* 5.5 */
#define XSS    "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"    /* 6.1 */
#define SOME   "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:L"    /* 7.3 */

#define RAPID_RESET "HTTP/2: many streams reset at once overload the server (Rapid Reset)"
#define D12(cve, package, fixed_at, fixed, ...) { cve, package, ECO_DEBIAN12, fixed_at, fixed, __VA_ARGS__ }
#define D7(cve, package, fixed, ...)            { cve, package, ECO_DEBIAN7, 1, fixed, __VA_ARGS__ }
#define APK(cve, package, fixed_at, fixed, ...) { cve, package, ECO_ALPINE, fixed_at, fixed, __VA_ARGS__ }
#define NPM(cve, package, fixed_at, fixed, ...) { cve, package, ECO_NPM, fixed_at, fixed, __VA_ARGS__ }
#define MVN(cve, package, fixed_at, fixed, ...) { cve, package, ECO_MAVEN, fixed_at, fixed, __VA_ARGS__ }
#define PY(cve, package, fixed_at, fixed, ...)  { cve, package, ECO_PYPI, fixed_at, fixed, __VA_ARGS__ }
#define GO(cve, package, fixed_at, fixed, ...)  { cve, package, ECO_GO, fixed_at, fixed, __VA_ARGS__ }

const struct demo_vulnerability demo_vulnerabilities[] = {
    /* ---- Debian 12 ---- */
    D12("CVE-2023-4911", "libc6", 1, "2.36-9+deb12u3", "HIGH", LOCAL, 745000, true, "2023-10-03", 0, "glibc: buffer overflow in ld.so when reading GLIBC_TUNABLES"),
    D12("CVE-2023-4911", "libc-bin", 1, "2.36-9+deb12u3", "HIGH", LOCAL, 745000, true, "2023-10-03", 0, "glibc: buffer overflow in ld.so when reading GLIBC_TUNABLES"),
    D12("CVE-2023-6246", "libc6", 1, NULL, "HIGH", LOCAL, 22000, false, "2024-01-31", 0, "glibc: heap overflow in syslog"),
    D12("CVE-2024-2961", "libc6", 2, "2.36-9+deb12u6", "HIGH", SOME, 914000, false, "2024-04-17", 0, "glibc: iconv writes past the buffer for ISO-2022-CN-EXT"),
    D12("CVE-2024-2961", "libc-bin", 2, "2.36-9+deb12u6", "HIGH", SOME, 914000, false, "2024-04-17", 0, "glibc: iconv writes past the buffer for ISO-2022-CN-EXT"),
    D12("CVE-2024-33599", "libc6", 2, NULL, "HIGH", RCE_H, 4100, false, "2024-05-06", 0, "glibc: stack overflow in nscd's netgroup cache"),
    D12("CVE-2010-4756", "libc6", 0, NULL, "LOW", DOS_L, 3600, false, "2011-03-02", 0, "glibc: glob can take all CPU and memory"),
    D12("CVE-2018-20796", "libc6", 0, NULL, "LOW", DOS, 12000, false, "2019-02-26", 0, "glibc: recursion without end in check_dst_limits_calc_pos_1"),
    D12("CVE-2019-1010022", "libc6", 0, NULL, "LOW", RCE, 1500, false, "2019-07-15", 0, "glibc: the stack guard can be bypassed"),
    D12("CVE-2019-9192", "libc6", 0, NULL, "LOW", DOS, 2200, false, "2019-02-26", 0, "glibc: recursion without end in regular expressions"),
    D12("CVE-2011-3374", "apt", 0, NULL, "LOW", "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:L/A:N", 1500, false, "2019-11-26", 0, "apt-key does not check keys against the master keyring"),
    D12("CVE-2016-2781", "coreutils", 0, NULL, "LOW", "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:C/C:N/I:H/A:N", 400, false, "2017-02-07", 0, "coreutils: chroot --userspec leaves the session's terminal open"),
    D12("CVE-2005-2541", "tar", 0, NULL, "LOW", RCE, 20000, false, "2005-08-10", 0, "tar extracts setuid files without a warning"),
    D12("CVE-2022-48303", "tar", 1, "1.34+dfsg-1.2+deb12u1", "LOW", DOS_F, 400, false, "2023-01-30", 0, "tar: one byte is read outside of the buffer in from_header"),
    D12("CVE-2007-5686", "login", 0, NULL, "LOW", "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N", 900, false, "2007-10-28", 0, "login: /var/log/btmp can be read by everybody"),
    D12("CVE-2022-3219", "gpgv", 0, NULL, "LOW", "CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:N/I:N/A:L", 200, false, "2023-02-23", 0, "gnupg: many signatures on one key take very long"),
    D12("CVE-2013-4392", "libsystemd0", 0, NULL, "LOW", "CVSS:3.1/AV:L/AC:H/PR:L/UI:N/S:U/C:N/I:H/A:H", 500, false, "2013-10-28", 0, "systemd: race when changing permissions of temporary files"),
    D12("CVE-2023-7008", "libsystemd0", 1, "252.21-1~deb12u1", "MEDIUM", "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:H/A:N", 900, false, "2023-12-23", 0, "systemd-resolved accepts unsigned names of signed zones"),
    D12("CVE-2023-50387", "libsystemd0", 2, "252.23-1~deb12u1", "HIGH", DOS, 430000, false, "2024-02-14", 0, "DNSSEC: crafted keys and signatures exhaust the resolver (KeyTrap)"),
    D12("CVE-2024-28085", "mount", 1, NULL, "MEDIUM", "CVSS:3.1/AV:L/AC:L/PR:L/UI:R/S:C/C:L/I:L/A:N", 31000, false, "2024-03-27", 0, "util-linux: wall passes escape sequences of other users"),
    D12("CVE-2022-0563", "mount", 0, NULL, "LOW", "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N", 400, false, "2022-02-21", 0, "util-linux: chsh and chfn show parts of files through INPUTRC"),
    D12("CVE-2023-47038", "perl-base", 1, NULL, "HIGH", LOCAL, 600, false, "2023-12-18", 0, "perl: a regular expression writes past the end of a buffer"),
    D12("CVE-2011-4116", "perl-base", 0, NULL, "LOW", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N", 2600, false, "2020-01-31", 0, "perl: File::Temp follows symbolic links"),
    D12("CVE-2023-45853", "zlib1g", 0, NULL, "CRITICAL", RCE, 10400, false, "2023-10-14", 0, "MiniZip in zlib: integer overflow for long names in archives"),
    D12("CVE-2023-5981", "libgnutls30", 1, NULL, "MEDIUM", LEAK_H, 7800, false, "2023-11-28", 0, "gnutls: timing of malformed ciphertexts in RSA-PSK differs"),
    D12("CVE-2024-0553", "libgnutls30", 2, NULL, "HIGH", LEAK, 10300, false, "2024-01-16", 0, "gnutls: the fix of CVE-2023-5981 was not complete"),
    D12("CVE-2024-0567", "libgnutls30", 2, NULL, "HIGH", DOS, 18700, false, "2024-01-16", 0, "gnutls: a chain with distributed trust is rejected or crashes"),
    D12("CVE-2024-28834", "libgnutls30", 3, NULL, "MEDIUM", "CVSS:3.1/AV:N/AC:H/PR:L/UI:N/S:U/C:H/I:N/A:N", 5200, false, "2024-03-21", 0, "gnutls: deterministic ECDSA leaks the nonce's length (Minerva)"),
    D12("CVE-2023-5363", "libssl3", 1, NULL, "HIGH", LEAK, 3300, false, "2023-10-25", 0, "openssl: key and IV lengths are processed in the wrong order"),
    D12("CVE-2023-5363", "openssl", 1, NULL, "HIGH", LEAK, 3300, false, "2023-10-25", 0, "openssl: key and IV lengths are processed in the wrong order"),
    D12("CVE-2024-0727", "libssl3", 2, "3.0.13-1~deb12u1", "MEDIUM", DOS_F, 2400, false, "2024-01-26", 0, "openssl: a malformed PKCS#12 file ends the process"),
    D12("CVE-2024-6119", "libssl3", 2, NULL, "HIGH", DOS, 11900, false, "2024-09-03", 0, "openssl: checking names of certificates may read an invalid address"),
    D12("CVE-2024-5535", "libssl3", 3, NULL, "CRITICAL", READ, 47000, false, "2024-06-27", 0, "openssl: SSL_select_next_proto reads past an empty list"),
    D12("CVE-2024-5535", "openssl", 3, NULL, "CRITICAL", READ, 47000, false, "2024-06-27", 0, "openssl: SSL_select_next_proto reads past an empty list"),
    D12("CVE-2023-38545", "libcurl4", 1, NULL, "CRITICAL", RCE, 263000, false, "2023-10-18", 0, "curl: heap overflow in the SOCKS5 handshake"),
    D12("CVE-2023-38545", "curl", 1, NULL, "CRITICAL", RCE, 263000, false, "2023-10-18", 0, "curl: heap overflow in the SOCKS5 handshake"),
    D12("CVE-2023-38546", "libcurl4", 1, NULL, "LOW", "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:L/A:N", 1800, false, "2023-10-18", 0, "curl: cookies can be inserted from a file"),
    D12("CVE-2024-2398", "libcurl4", 2, NULL, "HIGH", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:H", 2100, false, "2024-03-27", 0, "curl: headers of HTTP/2 server push are not freed"),
    D12("CVE-2024-7264", "libcurl4", 3, "7.88.1-10+deb12u7", "MEDIUM", "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:N/I:N/A:H", 10700, false, "2024-07-31", 0, "curl: reading ASN.1 dates reads past the end"),
    D12("CVE-2023-44487", "libnghttp2-14", 1, NULL, "HIGH", DOS, 944000, true, "2023-10-10", 0, RAPID_RESET),
    D12("CVE-2024-28182", "libnghttp2-14", 2, NULL, "MEDIUM", DOS_L, 382000, false, "2024-04-04", 0, "nghttp2: CONTINUATION frames without end take CPU"),
    D12("CVE-2024-37371", "libkrb5-3", 1, NULL, "CRITICAL", READ, 1900, false, "2024-06-28", 0, "krb5: invalid lengths in GSS message tokens read foreign memory"),
    D12("CVE-2024-37370", "libkrb5-3", 1, NULL, "HIGH", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N", 900, false, "2024-06-28", 0, "krb5: the extra count of a GSS token can be changed"),
    D12("CVE-2024-45491", "libexpat1", 1, NULL, "CRITICAL", RCE, 1200, false, "2024-08-30", 0, "expat: integer overflow in dtdCopy on 32-bit platforms"),
    D12("CVE-2024-45492", "libexpat1", 1, NULL, "CRITICAL", RCE, 1300, false, "2024-08-30", 0, "expat: integer overflow in nextScaffoldPart on 32-bit platforms"),
    D12("CVE-2024-56171", "libxml2", 1, NULL, "HIGH", "CVSS:3.1/AV:L/AC:H/PR:N/UI:N/S:C/C:H/I:H/A:N", 300, false, "2025-02-18", -9, "libxml2: use after free in xmlSchemaIDCFillNodeTables"),
    D12("CVE-2024-25062", "libxml2", 1, NULL, "HIGH", DOS, 1600, false, "2024-02-04", 0, "libxml2: use after free in xmlValidatePopElement"),
    D12("CVE-2023-4863", "libwebp7", 1, NULL, "HIGH", RCE_UI, 941000, true, "2023-09-12", 0, "libwebp: heap overflow in BuildHuffmanTable"),
    D12("CVE-2023-3576", "libtiff6", 1, NULL, "MEDIUM", DOS_F, 300, false, "2023-10-04", 0, "libtiff: memory leak in tiffcrop"),
    D12("CVE-2023-6879", "libaom3", 1, NULL, "CRITICAL", RCE, 2500, false, "2023-12-27", 0, "aom: heap overflow when frames grow"),
    D12("CVE-2024-32002", "git", 1, NULL, "CRITICAL", RCE_HS, 752000, false, "2024-05-14", -33, "git: cloning with submodules can run code on systems with symbolic links"),
    D12("CVE-2024-1086", "linux-libc-dev", 1, NULL, "HIGH", LOCAL, 861000, true, "2024-01-31", 0, "Linux: use after free in nf_tables"),
    D12("CVE-2024-53104", "linux-libc-dev", 2, NULL, "HIGH", LOCAL, 53000, true, "2024-12-02", 0, "Linux: uvcvideo parses frames of undefined type"),
    D12("CVE-2024-6387", "openssh-server", 1, NULL, "HIGH", RCE_H, 581000, false, "2024-07-01", 0, "OpenSSH: race in the signal handler of sshd (regreSSHion)"),

    /* ---- Debian testing of a certain week, and Debian 7 ---- */
    { "CVE-2024-3094", "liblzma5", ECO_DEBIAN13, 1, NULL, "CRITICAL", RCE_S, 847000, false, "2024-03-29", 0, "xz: malicious code in the released archives of liblzma" },
    { "CVE-2024-3094", "xz-utils", ECO_DEBIAN13, 1, NULL, "CRITICAL", RCE_S, 847000, false, "2024-03-29", 0, "xz: malicious code in the released archives of liblzma" },
    D7("CVE-2014-6271", "bash", "4.2+dfsg-0.1+deb7u1", "CRITICAL", RCE, 942000, true, "2014-09-24", 0, "bash: code behind function definitions in the environment runs (Shellshock)"),
    D7("CVE-2014-7169", "bash", NULL, "CRITICAL", RCE, 903000, true, "2014-09-25", 0, "bash: the fix of CVE-2014-6271 was not complete"),
    D7("CVE-2014-0160", "libssl1.0.0", NULL, "HIGH", LEAK, 944000, true, "2014-04-07", 0, "openssl: heartbeats read up to 64 KiB of memory (Heartbleed)"),
    D7("CVE-2014-0160", "openssl", NULL, "HIGH", LEAK, 944000, true, "2014-04-07", 0, "openssl: heartbeats read up to 64 KiB of memory (Heartbleed)"),
    D7("CVE-2015-0235", "libc6", NULL, "CRITICAL", RCE, 887000, false, "2015-01-28", 0, "glibc: heap overflow in gethostbyname (GHOST)"),

    /* ---- Alpine ---- */
    APK("CVE-2023-42363", "busybox", 1, NULL, "MEDIUM", DOS_F, 400, false, "2023-11-27", 0, "busybox: use after free in xasprintf"),
    APK("CVE-2023-42364", "busybox", 1, NULL, "MEDIUM", DOS_F, 400, false, "2023-11-27", 0, "busybox: use after free in awk's evaluate"),
    APK("CVE-2023-42363", "ssl_client", 1, NULL, "MEDIUM", DOS_F, 400, false, "2023-11-27", 0, "busybox: use after free in xasprintf"),
    APK("CVE-2023-5363", "libcrypto3", 1, "3.1.4-r0", "HIGH", LEAK, 3300, false, "2023-10-25", 0, "openssl: key and IV lengths are processed in the wrong order"),
    APK("CVE-2023-5363", "libssl3", 1, "3.1.4-r0", "HIGH", LEAK, 3300, false, "2023-10-25", 0, "openssl: key and IV lengths are processed in the wrong order"),
    APK("CVE-2024-0727", "libcrypto3", 1, NULL, "MEDIUM", DOS_F, 2400, false, "2024-01-26", 0, "openssl: a malformed PKCS#12 file ends the process"),
    APK("CVE-2024-5535", "libcrypto3", 2, NULL, "CRITICAL", READ, 47000, false, "2024-06-27", 0, "openssl: SSL_select_next_proto reads past an empty list"),
    APK("CVE-2024-5535", "libssl3", 2, NULL, "CRITICAL", READ, 47000, false, "2024-06-27", 0, "openssl: SSL_select_next_proto reads past an empty list"),
    APK("CVE-2024-6119", "libcrypto3", 3, NULL, "HIGH", DOS, 11900, false, "2024-09-03", 0, "openssl: checking names of certificates may read an invalid address"),
    APK("CVE-2025-26519", "musl", 1, NULL, "HIGH", "CVSS:3.1/AV:L/AC:H/PR:N/UI:N/S:C/C:H/I:H/A:L", 300, false, "2025-02-14", 0, "musl: iconv from EUC-KR writes past the buffer"),
    APK("CVE-2023-38545", "libcurl", 1, NULL, "CRITICAL", RCE, 263000, false, "2023-10-18", 0, "curl: heap overflow in the SOCKS5 handshake"),
    APK("CVE-2024-7264", "libcurl", 2, "8.9.1-r0", "MEDIUM", "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:N/I:N/A:H", 10700, false, "2024-07-31", 0, "curl: reading ASN.1 dates reads past the end"),
    APK("CVE-2023-44487", "nghttp2-libs", 1, NULL, "HIGH", DOS, 944000, true, "2023-10-10", 0, RAPID_RESET),
    APK("CVE-2023-52425", "libexpat", 1, NULL, "HIGH", DOS, 3300, false, "2024-02-04", 0, "expat: large tokens are parsed again and again"),
    APK("CVE-2024-45491", "libexpat", 2, NULL, "CRITICAL", RCE, 1200, false, "2024-08-30", 0, "expat: integer overflow in dtdCopy on 32-bit platforms"),
    APK("CVE-2023-7104", "sqlite-libs", 1, NULL, "HIGH", SOME, 1700, false, "2023-12-29", 0, "sqlite: heap overflow in the session extension"),
    APK("CVE-2023-4863", "libwebp", 1, NULL, "HIGH", RCE_UI, 941000, true, "2023-09-12", 0, "libwebp: heap overflow in BuildHuffmanTable"),
    { "CVE-2021-36159", "apk-tools", ECO_ALPINE_OLD, 1, NULL, "CRITICAL", READ, 7600, false, "2021-08-03", 0, "libfetch: numbers in FTP answers are read out of bounds" },
    { "CVE-2022-37434", "zlib", ECO_ALPINE_OLD, 1, NULL, "CRITICAL", RCE, 923000, false, "2022-08-05", 0, "zlib: inflate overflows for a large extra field of a gzip header" },
    { "CVE-2021-3711", "libssl1.1", ECO_ALPINE_OLD, 1, NULL, "CRITICAL", RCE, 28000, false, "2021-08-24", 0, "openssl: buffer overflow when decrypting SM2" },

    /* ---- npm ---- */
    NPM("CVE-2022-24999", "express", 1, NULL, "HIGH", DOS, 12600, false, "2022-11-26", 0, "qs: prototype poisoning hangs the process"),
    NPM("CVE-2022-24999", "qs", 1, NULL, "HIGH", DOS, 12600, false, "2022-11-26", 0, "qs: prototype poisoning hangs the process"),
    NPM("CVE-2024-29041", "express", 2, NULL, "MEDIUM", XSS, 1000, false, "2024-03-25", 0, "express: malformed URLs pass the list of allowed redirects"),
    NPM("CVE-2024-45590", "body-parser", 1, NULL, "HIGH", DOS, 700, false, "2024-09-10", 0, "body-parser: deep url-encoded bodies take all CPU"),
    NPM("CVE-2024-45296", "path-to-regexp", 1, NULL, "HIGH", DOS, 800, false, "2024-09-09", 0, "path-to-regexp: expressions with exponential run time"),
    NPM("CVE-2021-23337", "lodash", 1, NULL, "HIGH", "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H", 6800, false, "2021-02-15", 0, "lodash: commands can be injected through template"),
    NPM("CVE-2020-28500", "lodash", 1, NULL, "MEDIUM", DOS_L, 2600, false, "2021-02-15", 0, "lodash: slow regular expression in toNumber and trim"),
    NPM("CVE-2021-3749", "axios", 1, "0.21.2", "HIGH", DOS, 82000, false, "2021-08-31", 0, "axios: slow regular expression in trim"),
    NPM("CVE-2023-45857", "axios", 2, NULL, "MEDIUM", "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:N/A:N", 1100, false, "2023-11-08", 0, "axios: the XSRF token is sent to any host"),
    NPM("CVE-2024-39338", "axios", 3, NULL, "HIGH", LEAK, 900, false, "2024-08-12", 0, "axios: relative URLs become requests to other hosts"),
    NPM("CVE-2021-44906", "minimist", 1, "1.2.6", "CRITICAL", RCE, 10300, false, "2022-03-17", 0, "minimist: prototype pollution in setKey"),
    NPM("CVE-2022-25883", "semver", 1, "7.5.2", "HIGH", DOS, 3100, false, "2023-06-21", 0, "semver: slow regular expression in Range"),
    NPM("CVE-2024-37890", "ws", 1, NULL, "HIGH", DOS, 1900, false, "2024-06-17", 0, "ws: too many headers end the server"),
    NPM("CVE-2024-4068", "braces", 1, NULL, "HIGH", DOS, 1700, false, "2024-05-14", 0, "braces: unbalanced braces take all memory"),
    NPM("CVE-2024-21538", "cross-spawn", 1, NULL, "HIGH", DOS, 500, false, "2024-11-08", -45, "cross-spawn: slow regular expression when escaping arguments"),
    NPM("CVE-2022-23539", "jsonwebtoken", 1, "9.0.0", "HIGH", "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N", 800, false, "2022-12-23", 0, "jsonwebtoken: key types that do not fit the algorithm are accepted"),
    NPM("CVE-2024-28863", "tar", 1, NULL, "MEDIUM", "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:N/I:N/A:H", 1200, false, "2024-03-21", 0, "node-tar: folders may be nested without a bound"),
    NPM("CVE-2025-29927", "next", 1, NULL, "CRITICAL", FORGE, 924000, false, "2025-03-21", -14, "Next.js: checks in middleware can be skipped by a header"),
    NPM("CVE-2022-24771", "node-forge", 1, "1.3.0", "HIGH", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N", 800, false, "2022-03-18", 0, "node-forge: RSA signatures are checked leniently"),
    NPM("CVE-2023-42282", "ip", 1, NULL, "CRITICAL", RCE, 1500, false, "2024-02-08", 0, "ip: private addresses in hexadecimal are called public"),
    NPM("CVE-2024-29415", "ip", 0, NULL, "HIGH", RCE_H, 2300, false, "2024-05-27", 0, "ip: the fix of CVE-2023-42282 was not complete"),
    NPM("CVE-2023-29017", "vm2", 1, "3.9.15", "CRITICAL", RCE_S, 741000, false, "2023-04-06", 0, "vm2: escape from the sandbox through prepareStackTrace"),
    NPM("CVE-2023-37903", "vm2", 0, NULL, "CRITICAL", RCE_S, 176000, false, "2023-07-21", 0, "vm2: escape from the sandbox through a custom inspect function"),

    /* ---- Maven ---- */
    MVN("CVE-2021-44228", "org.apache.logging.log4j:log4j-core", 1, "2.15.0", "CRITICAL", RCE_S, 943500, true, "2021-12-10", 0, "log4j: names in messages are looked up through JNDI (Log4Shell)"),
    MVN("CVE-2021-45046", "org.apache.logging.log4j:log4j-core", 1, "2.16.0", "CRITICAL", RCE_HS, 943400, true, "2021-12-14", 0, "log4j: the fix of CVE-2021-44228 was not complete"),
    MVN("CVE-2021-45105", "org.apache.logging.log4j:log4j-core", 1, "2.17.0", "MEDIUM", DOS_H, 738000, false, "2021-12-18", 0, "log4j: recursion without end in lookups"),
    MVN("CVE-2021-44832", "org.apache.logging.log4j:log4j-core", 1, "2.17.1", "MEDIUM", "CVSS:3.1/AV:N/AC:H/PR:H/UI:N/S:U/C:H/I:H/A:H", 492000, false, "2021-12-28", 0, "log4j: the JDBC appender runs code from JNDI"),
    MVN("CVE-2022-22965", "org.springframework:spring-beans", 1, "5.3.18", "CRITICAL", RCE, 944000, true, "2022-04-01", 0, "Spring: data binding reaches the class loader (Spring4Shell)"),
    MVN("CVE-2024-22243", "org.springframework:spring-web", 1, "5.3.32", "HIGH", "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:N", 22000, false, "2024-02-23", 0, "Spring: UriComponentsBuilder reads another host than the check"),
    MVN("CVE-2019-20330", "com.fasterxml.jackson.core:jackson-databind", 1, "2.9.10.2", "CRITICAL", RCE, 18000, false, "2020-01-03", 0, "jackson-databind: classes of ehcache are not blocked"),
    MVN("CVE-2020-36518", "com.fasterxml.jackson.core:jackson-databind", 2, "2.13.2.1", "HIGH", DOS, 5600, false, "2022-03-11", 0, "jackson-databind: deep nesting overflows the stack"),
    MVN("CVE-2022-42003", "com.fasterxml.jackson.core:jackson-databind", 2, NULL, "HIGH", DOS, 3100, false, "2022-10-02", 0, "jackson-databind: nested arrays in wrappers take all resources"),
    MVN("CVE-2022-25857", "org.yaml:snakeyaml", 1, "1.31", "HIGH", DOS, 8200, false, "2022-08-30", 0, "snakeyaml: collections may be nested without a bound"),
    MVN("CVE-2022-1471", "org.yaml:snakeyaml", 2, "2.0", "CRITICAL", RCE, 938000, false, "2022-12-01", 0, "snakeyaml: Constructor makes objects of any type"),
    MVN("CVE-2022-42889", "org.apache.commons:commons-text", 1, NULL, "CRITICAL", RCE, 941000, false, "2022-10-13", 0, "commons-text: interpolation runs scripts (Text4Shell)"),
    MVN("CVE-2023-44487", "io.netty:netty-codec-http2", 1, NULL, "HIGH", DOS, 944000, true, "2023-10-10", 0, RAPID_RESET),
    MVN("CVE-2023-34462", "io.netty:netty-handler", 1, NULL, "MEDIUM", "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H", 9200, false, "2023-06-22", 0, "netty: SniHandler takes 16 MB of memory per connection"),
    MVN("CVE-2025-24970", "io.netty:netty-handler", 2, NULL, "HIGH", DOS, 900, false, "2025-02-10", -27, "netty: a crafted packet ends the process with native SSL"),
    MVN("CVE-2023-6378", "ch.qos.logback:logback-classic", 1, NULL, "HIGH", DOS, 4400, false, "2023-11-29", 0, "logback: the receiver deserialises poisoned data"),
    MVN("CVE-2023-46589", "org.apache.tomcat.embed:tomcat-embed-core", 1, NULL, "HIGH", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N", 512000, false, "2023-11-28", 0, "tomcat: trailer headers are parsed wrongly, requests can be smuggled"),
    MVN("CVE-2025-24813", "org.apache.tomcat.embed:tomcat-embed-core", 2, NULL, "CRITICAL", RCE, 940000, true, "2025-03-10", -6, "tomcat: partial PUT writes files that are read back as sessions"),
    MVN("CVE-2021-42392", "com.h2database:h2", 1, "2.0.206", "CRITICAL", RCE, 904000, false, "2022-01-10", 0, "h2: the console loads classes through JNDI"),
    MVN("CVE-2024-1597", "org.postgresql:postgresql", 1, NULL, "CRITICAL", RCE, 6300, false, "2024-02-19", 0, "pgjdbc: SQL injection in simple query mode"),
    MVN("CVE-2023-46604", "org.apache.activemq:activemq-client", 1, NULL, "CRITICAL", RCE, 944000, true, "2023-10-27", 0, "ActiveMQ: OpenWire makes objects of any class"),
    MVN("CVE-2017-5638", "org.apache.struts:struts2-core", 1, NULL, "CRITICAL", RCE, 943000, true, "2017-03-11", 0, "Struts: a Content-Type header runs commands"),

    /* ---- PyPI ---- */
    PY("CVE-2023-32681", "requests", 1, NULL, "MEDIUM", "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:C/C:H/I:N/A:N", 60000, false, "2023-05-26", 0, "requests: Proxy-Authorization reaches the destination"),
    PY("CVE-2024-35195", "requests", 2, "2.32.0", "MEDIUM", "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:H/I:H/A:N", 700, false, "2024-05-20", 0, "requests: verify=False stays for later requests of a session"),
    PY("CVE-2023-43804", "urllib3", 1, "1.26.17", "HIGH", "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N", 3800, false, "2023-10-04", 0, "urllib3: the Cookie header follows redirects to other hosts"),
    PY("CVE-2024-37891", "urllib3", 2, NULL, "MEDIUM", "CVSS:3.1/AV:N/AC:H/PR:H/UI:N/S:U/C:H/I:N/A:N", 900, false, "2024-06-17", 0, "urllib3: Proxy-Authorization follows redirects to other hosts"),
    PY("CVE-2024-22195", "jinja2", 1, NULL, "MEDIUM", XSS, 2700, false, "2024-01-11", 0, "jinja2: xmlattr accepts keys with spaces"),
    PY("CVE-2023-0286", "cryptography", 1, NULL, "HIGH", "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:H", 881000, false, "2023-02-08", 0, "openssl: X.400 addresses in certificates are taken for another type"),
    PY("CVE-2023-50782", "cryptography", 2, "42.0.0", "HIGH", LEAK, 9700, false, "2024-02-05", 0, "cryptography: timing of RSA decryption differs (Bleichenbacher)"),
    PY("CVE-2023-4863", "pillow", 1, NULL, "HIGH", RCE_UI, 941000, true, "2023-09-12", 0, "libwebp: heap overflow in BuildHuffmanTable"),
    PY("CVE-2023-50447", "pillow", 2, "10.2.0", "HIGH", RCE_H, 14000, false, "2024-01-19", 0, "pillow: ImageMath.eval runs code"),
    PY("CVE-2023-31047", "django", 1, "3.2.19", "CRITICAL", RCE, 4200, false, "2023-05-07", 0, "django: only the last of several uploaded files is validated"),
    PY("CVE-2024-42005", "django", 2, "4.2.15", "CRITICAL", RCE, 137000, false, "2024-08-07", 0, "django: SQL injection through QuerySet.values with JSON fields"),
    PY("CVE-2020-14343", "pyyaml", 1, "5.4", "CRITICAL", RCE, 140000, false, "2021-02-09", 0, "pyyaml: FullLoader runs code"),
    PY("CVE-2024-1135", "gunicorn", 1, NULL, "HIGH", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N", 700, false, "2024-04-16", 0, "gunicorn: conflicting Transfer-Encoding headers smuggle requests"),
    PY("CVE-2023-37920", "certifi", 1, "2023.7.22", "HIGH", RCE, 1900, false, "2023-07-25", 0, "certifi: roots of e-Tugra are still trusted"),
    PY("CVE-2024-6345", "setuptools", 1, NULL, "HIGH", RCE_UI, 12000, false, "2024-07-15", 0, "setuptools: package URLs run commands"),
    PY("CVE-2023-25577", "werkzeug", 1, NULL, "HIGH", DOS, 6900, false, "2023-02-14", 0, "werkzeug: multipart bodies without a bound on parts"),
    PY("CVE-2024-34069", "werkzeug", 2, NULL, "HIGH", "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:H/I:H/A:H", 34000, false, "2024-05-06", 0, "werkzeug: the debugger runs code for a page of another site"),
    PY("CVE-2024-23334", "aiohttp", 1, NULL, "HIGH", LEAK, 935000, false, "2024-01-29", 0, "aiohttp: static routes that follow symbolic links leave their folder"),
    PY("CVE-2022-45907", "torch", 1, NULL, "CRITICAL", RCE, 9900, false, "2022-11-26", 0, "torch: annotations of jit are evaluated"),
    PY("CVE-2025-32434", "torch", 2, NULL, "CRITICAL", RCE, 8700, false, "2025-04-18", -40, "torch: load with weights_only runs code"),
    PY("CVE-2023-1177", "mlflow", 1, NULL, "CRITICAL", RCE, 932000, false, "2023-03-24", 0, "mlflow: files of the server can be read"),

    /* ---- Go ---- */
    GO("CVE-2023-39325", "stdlib", 1, "v1.20.10", "HIGH", DOS, 2900, false, "2023-10-11", 0, "net/http: resetting streams starts handlers without a bound"),
    GO("CVE-2023-45288", "stdlib", 1, NULL, "HIGH", DOS, 668000, false, "2024-04-04", 0, "net/http: CONTINUATION frames without end"),
    GO("CVE-2024-24790", "stdlib", 2, "v1.21.11", "CRITICAL", RCE, 900, false, "2024-06-05", 0, "net/netip: Is methods are wrong for IPv4 addresses mapped to IPv6"),
    GO("CVE-2024-34156", "stdlib", 2, NULL, "HIGH", DOS, 1300, false, "2024-09-06", 0, "encoding/gob: deep nesting overflows the stack"),
    GO("CVE-2025-22871", "stdlib", 3, NULL, "CRITICAL", FORGE, 300, false, "2025-04-08", 0, "net/http: bare LF ends a chunk-size line, requests can be smuggled"),
    GO("CVE-2023-39325", "golang.org/x/net", 1, NULL, "HIGH", DOS, 2900, false, "2023-10-11", 0, "net/http: resetting streams starts handlers without a bound"),
    GO("CVE-2023-44487", "golang.org/x/net", 1, NULL, "HIGH", DOS, 944000, true, "2023-10-10", 0, RAPID_RESET),
    GO("CVE-2023-45288", "golang.org/x/net", 2, NULL, "MEDIUM", DOS_L, 668000, false, "2024-04-04", 0, "net/http: CONTINUATION frames without end"),
    GO("CVE-2025-22870", "golang.org/x/net", 3, "v0.36.0", "MEDIUM", "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:L", 200, false, "2025-03-12", -18, "net/proxy: zone ids of IPv6 match proxy exceptions"),
    GO("CVE-2023-48795", "golang.org/x/crypto", 1, NULL, "MEDIUM", "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:H/A:N", 652000, false, "2023-12-18", 0, "SSH: messages can be cut off the handshake (Terrapin)"),
    GO("CVE-2024-45337", "golang.org/x/crypto", 2, NULL, "CRITICAL", FORGE, 290000, false, "2024-12-12", 0, "x/crypto/ssh: misuse of PublicKeyCallback lets others in"),
    GO("CVE-2023-44487", "google.golang.org/grpc", 1, NULL, "HIGH", DOS, 944000, true, "2023-10-10", 0, RAPID_RESET),
    GO("CVE-2024-24786", "google.golang.org/protobuf", 1, NULL, "MEDIUM", DOS_H, 300, false, "2024-03-05", 0, "protojson: Unmarshal never ends for some invalid JSON"),
    GO("CVE-2025-30204", "github.com/golang-jwt/jwt/v4", 1, NULL, "HIGH", DOS, 600, false, "2025-03-21", -30, "golang-jwt: many periods in a header take all memory"),
    GO("CVE-2024-41110", "github.com/docker/docker", 1, NULL, "CRITICAL", "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", 17000, false, "2024-07-24", 0, "moby: requests without a body pass authorisation plugins"),
    GO("CVE-2024-21626", "github.com/opencontainers/runc", 1, NULL, "HIGH", "CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:C/C:H/I:H/A:H", 61000, false, "2024-01-31", 0, "runc: a leaked descriptor leads to the host's files"),
};
const size_t n_demo_vulnerabilities = N_ITEMS(demo_vulnerabilities);
