// Copyright 2026 fer_ros contributors
// SPDX-License-Identifier: Apache-2.0
// A clip's annotated video above its lanes: a click or drag on a lane seeks, and a line follows.

function link(root, data) {
  const video = root.querySelector('video')
  const lanes = root.querySelector('.fer-lanes')
  lanes.innerHTML = data.lanes
  // As a whole: a browser seeks only in what it has.
  fetch(`/live/clip.mp4?${new URLSearchParams({ clip: data.clip })}`)
    .then((response) => response.blob())
    .then((file) => {
      video.src = URL.createObjectURL(file)
      video.currentTime = data.start
    })
  const seek = (event) => {
    const curve = event.target.closest('.fer-curve')
    if (!curve || !event.buttons) return
    const { left, width } = curve.getBoundingClientRect()
    const share = (event.clientX - left) / width
    video.currentTime = data.end * Math.min(1, Math.max(0, share))
  }
  lanes.onpointerdown = seek
  lanes.onpointermove = seek
  const follow = () => {
    lanes.style.setProperty('--at', `${(100 * video.currentTime) / data.end}%`)
    if (root.isConnected) requestAnimationFrame(follow)
    else URL.revokeObjectURL(video.src)
  }
  follow()
}

export default function (component) {
  const { parentElement, data } = component
  const root = parentElement.querySelector('.fer-clip')
  if (root.dataset.clip === data.clip) return
  root.dataset.clip = data.clip
  link(root, data)
}
