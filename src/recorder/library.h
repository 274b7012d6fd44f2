/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XR_RECORDER_LIBRARY_H
#define XR_RECORDER_LIBRARY_H

/* Before anything else here is used, by whoever makes a recorder; again at no cost. */
void xr_library_enter(void);

#endif /* XR_RECORDER_LIBRARY_H */
