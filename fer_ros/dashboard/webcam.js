// Copyright 2026 fer_ros contributors
// SPDX-License-Identifier: Apache-2.0
// The viewer's own camera, in the live view of live.js.

const REFUSED = {
  NotAllowedError: 'The camera was refused. Allow it for this page (the camera sign beside the address) and load the page again.',
  NotFoundError: 'This computer has no camera, or none that the browser sees.',
  NotReadableError: 'Another program has the camera; close it and load the page again.',
}
const NOT_SECURE = 'A browser gives its camera only to pages of the same computer (http://localhost) or over HTTPS.'
const WIDTH_PX = 640
const FRAME_MS = 33
const JPEG_QUALITY = 0.8
const SQUARES = 7
const RECORDED_MS = 10000
const LEAST_ROWS = 20
const BRIGHT = 100

// Black or white, whichever stands out more on a colour.
function ink(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16))
  return 0.3 * red + 0.59 * green + 0.11 * blue > BRIGHT ? '#111' : '#fff'
}

// The viewer's own camera: one frame at a time goes to the server, drawn when its result is back.
class WebcamView extends LiveView {
  async run() {
    let stream = null
    try {
      if (!navigator.mediaDevices) throw new Error(NOT_SECURE)
      stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: WIDTH_PX } } })
      const video = document.createElement('video')
      Object.assign(video, { srcObject: stream, muted: true, playsInline: true })
      await video.play()
      await this.stream(video)
    } catch (error) {
      this.note.textContent = REFUSED[error.name] || error.message
    } finally {
      if (stream) stream.getTracks().forEach((track) => track.stop())
      if (this.socket) this.socket.close()
    }
  }

  async stream(video) {
    const protocol = window.location.protocol === 'https:' ? 'wss' : 'ws'
    this.socket = new WebSocket(`${protocol}://${window.location.host}/live/webcam`)
    await new Promise((resolve, reject) => {
      this.socket.onopen = resolve
      this.socket.onerror = () => reject(new Error('The dashboard does not respond; is it still running?'))
    })
    const frame = document.createElement('canvas')
    let told = ''
    while (!this.isOver) {
      const started = performance.now()
      if (told !== JSON.stringify(this.settings)) {
        told = JSON.stringify(this.settings)
        this.socket.send(told)
      }
      frame.width = Math.min(WIDTH_PX, video.videoWidth)
      frame.height = Math.round((frame.width * video.videoHeight) / video.videoWidth)
      const pen = frame.getContext('2d')
      // As in a mirror, as people are used to seeing themselves.
      pen.setTransform(-1, 0, 0, 1, frame.width, 0)
      pen.drawImage(video, 0, 0, frame.width, frame.height)
      const state = await this.ask(await new Promise((resolve) => frame.toBlob(resolve, 'image/jpeg', JPEG_QUALITY)))
      if (state.error) throw new Error(state.error)
      state.diagnostics['latency median (ms)'] = Math.round(performance.now() - started)
      await this.draw(frame)
      this.show(state)
      this.mark(state)
      this.record(state.faces)
      await wait(Math.max(0, FRAME_MS - (performance.now() - started)))
    }
  }

  // The largest face, frame after frame: for ten seconds, or for longer where frames are slow.
  record(faces) {
    if (!this.rows) return
    const now = performance.now()
    this.endOfRecording = this.endOfRecording || now + RECORDED_MS
    const height = (face) => face.box[3] - face.box[1]
    const [face] = [...faces].sort((one, other) => height(other) - height(one))
    if (face && !face.quality.length) this.rows.push(face.raw)
    const left = this.endOfRecording - now
    this.note.textContent = `Look into the camera, face at rest: ${Math.max(1, Math.ceil(left / 1000))} s`
    if (left > 0 || (this.rows.length < LEAST_ROWS && left > -2 * RECORDED_MS)) return
    this.report('recorded', this.rows)
    this.note.textContent = ''
    this.rows = null
  }

  ask(blob) {
    return new Promise((resolve, reject) => {
      this.socket.onmessage = (message) => resolve(JSON.parse(message.data))
      this.socket.onclose = () => reject(new Error('The dashboard has ended, or let this viewer go.'))
      this.socket.send(blob)
    })
  }

  mark(state) {
    const pen = this.canvas.getContext('2d')
    pen.font = '600 15px sans-serif'
    pen.lineWidth = 3
    for (const face of state.faces) {
      const [left, top, right, bottom] = face.box
      if (this.hidesFaces) this.pixelate(left, top, right - left, bottom - top)
      const text = face.label === 'unknown' ? 'unknown' : `${face.label} ${Math.round(100 * face.confidence)} %`
      const width = pen.measureText(text).width + 12
      const above = top >= 24 ? top - 24 : top
      pen.strokeStyle = this.colours[face.label]
      pen.fillStyle = this.colours[face.label]
      pen.strokeRect(left, top, right - left, bottom - top)
      pen.fillRect(left - 1.5, above, width, 24)
      pen.fillStyle = ink(this.colours[face.label])
      pen.fillText(text, left + 5, above + 17)
    }
  }

  pixelate(left, top, width, height) {
    const pen = this.canvas.getContext('2d')
    const small = document.createElement('canvas')
    small.width = SQUARES
    small.height = SQUARES
    small.getContext('2d').drawImage(this.canvas, left, top, width, height, 0, 0, SQUARES, SQUARES)
    pen.imageSmoothingEnabled = false
    pen.drawImage(small, left, top, width, height)
    pen.imageSmoothingEnabled = true
  }
}

const views = new WeakMap()

export default function (component) {
  const { parentElement, data, setTriggerValue } = component
  if (!views.has(parentElement)) {
    const View = data.camera === 'webcam' ? WebcamView : LiveView
    views.set(parentElement, new View(parentElement, data))
  }
  views.get(parentElement).report = setTriggerValue
  views.get(parentElement).look(data)
  return () => {
    views.get(parentElement).stopped = true
    views.delete(parentElement)
  }
}
