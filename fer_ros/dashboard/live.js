// Copyright 2026 fer_ros contributors
// SPDX-License-Identifier: Apache-2.0
// The live view: asks the server for images and numbers, and draws them without a page rerun.
// webcam.js goes on where this ends.

const STATE_MS = 200
const HISTORY_S = 180
const SHORTEST_S = 30
const NAME_PX = 15
const BAR_PX = 20
const ROW_PX = NAME_PX + BAR_PX + 3
const MAX_ROWS = 6
const AXIS_PX = 18

// The ones that matter; the rest is in a fold.
const FIGURES = [
  ['processed', 'processed rate (Hz)', ' fps'],
  ['latency, median', 'latency median (ms)', ' ms'],
]
const MORE = [
  ['camera', 'input rate (Hz)', ' fps'],
  ['latency, 95th percentile', 'latency 95th (ms)', ' ms'],
  ['dropped frames', 'dropped frames', ''],
  ['unreadable frames', 'bad frames', ''],
  ['detector', 'detector', ''],
  ['runs on', 'backend', ''],
  ['node state', 'state', ''],
]

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

function make(tag, className, text) {
  const element = document.createElement(tag)
  if (className) element.className = className
  if (text !== undefined) element.textContent = text
  return element
}

class LiveView {
  constructor(parent, data) {
    this.root = parent.querySelector('.fer-live')
    this.canvas = this.root.querySelector('.fer-stage canvas')
    this.stage = this.root.querySelector('.fer-stage')
    this.note = this.root.querySelector('.fer-note')
    this.notice = this.root.querySelector('.fer-notice')
    this.people = this.root.querySelector('.fer-people')
    this.time = this.root.querySelector('.fer-time')
    this.figures = this.root.querySelector('.fer-figures')
    this.more = this.root.querySelector('details')
    this.cards = new Map()
    this.values = new Map()
    this.shown = 0
    this.shownSince = performance.now()
    this.colours = {}
    this.root.querySelector('h4').textContent = data.title
    this.stopped = false
    this.rows = null
    this.look(data)
    this.run()
  }

  run() {
    this.showImages()
    this.showState()
  }

  look(data) {
    this.settings = data.settings
    this.hidesFaces = data.hides_faces
    if (data.record && data.record !== this.recording) {
      this.recording = data.record
      this.rows = []
      this.endOfRecording = null
    }
    if (data.camera === this.camera) return
    this.camera = data.camera
    this.samples = []
    this.number = 0
  }

  get isOver() {
    return this.stopped || !this.root.isConnected
  }

  async showImages() {
    let drawing = null
    while (!this.isOver) {
      if (document.hidden) {
        await wait(300)
        continue
      }
      try {
        const camera = this.camera
        const query = new URLSearchParams({ camera, after: this.number })
        const response = await fetch(`/live/image.jpg?${query}`)
        if (response.status !== 200 || camera !== this.camera) {
          await wait(response.status === 204 ? 20 : 1000)
          continue
        }
        this.number = response.headers.get('X-Image-Number')
        const blob = await response.blob()
        // The next image is asked for while this one is decoded, but no more than one ahead.
        await drawing
        drawing = this.draw(blob)
      } catch (error) {
        await wait(1000)
      }
    }
  }

  async draw(blob) {
    const image = await createImageBitmap(blob).catch(() => null)
    if (!image) return
    if (this.canvas.width !== image.width || this.canvas.height !== image.height) {
      this.canvas.width = image.width
      this.canvas.height = image.height
      this.stage.style.aspectRatio = `${image.width} / ${image.height}`
    }
    this.canvas.getContext('2d').drawImage(image, 0, 0)
    image.close()
    this.shown += 1
    this.root.dataset.images = Number(this.root.dataset.images || 0) + 1
  }

  async showState() {
    while (!this.isOver) {
      if (!document.hidden) {
        const last = this.samples.length ? this.samples[this.samples.length - 1][0] : 0
        const query = new URLSearchParams({ camera: this.camera, since: last })
        try {
          const camera = this.camera
          const state = await (await fetch(`/live/state?${query}`)).json()
          if (camera === this.camera) this.show(state)
        } catch (error) {
          this.note.textContent = 'The dashboard does not respond; is it still running?'
          await wait(1000)
        }
      }
      await wait(STATE_MS)
    }
  }

  show(state) {
    this.note.textContent = this.say(state)
    this.notice.textContent = state.notice || ''
    if (!state.topic) return
    this.showLegend(state.colours)
    const isFresh = state.age_s !== null && state.age_s < 2
    this.showPeople(isFresh ? state.faces : [], state.labels)
    for (const sample of state.samples) this.samples.push(sample)
    while (this.samples.length && this.samples[0][0] < state.now_s - HISTORY_S) this.samples.shift()
    this.drawTime(state.now_s)
    this.showFigures(state)
    this.root.dataset.faces = isFresh ? state.faces.length : 0
  }

  say(state) {
    if (!state.topic) return 'This camera has gone.'
    if (state.warning) return state.warning
    if (state.age_s === null) return 'Waiting for the first image …'
    if (state.age_s >= 2) return `No result for ${state.age_s.toFixed(0)} s: no images, or switched off.`
    return ''
  }

  // Another model may bring other classes; those of before are still in the timeline.
  showLegend(colours) {
    for (const [label, colour] of Object.entries(colours)) {
      if (label in this.colours) continue
      this.colours[label] = colour
      const item = make('span', '', label)
      const swatch = make('i')
      swatch.style.background = colour
      item.prepend(swatch)
      this.root.querySelector('.fer-legend').append(item)
    }
  }

  showPeople(faces, labels) {
    const present = new Set(faces.map((face) => face.id))
    for (const [id, card] of this.cards) {
      if (!present.has(id)) {
        card.element.remove()
        this.cards.delete(id)
      }
    }
    for (const face of faces) {
      const key = labels.join()
      if (this.cards.has(face.id) && this.cards.get(face.id).key !== key) {
        this.cards.get(face.id).element.remove()
        this.cards.delete(face.id)
      }
      if (!this.cards.has(face.id)) {
        const card = this.makeCard(face, labels)
        card.key = key
        this.cards.set(face.id, card)
        this.people.append(card.element)
      }
      this.fill(this.cards.get(face.id), face)
    }
    this.people.querySelector('.fer-nobody').hidden = faces.length > 0
    this.people.querySelector('.fer-key').hidden = faces.length === 0
  }

  makeCard(face, labels) {
    const element = make('section', 'fer-person')
    const title = make('div', 'fer-title')
    const label = make('b')
    const badges = make('span')
    const percent = make('span', 'fer-percent')
    title.append(make('span', 'fer-id', `person ${face.id}`), label, badges, percent)
    const bars = make('div', 'fer-bars')
    const rows = labels.map((name) => {
      const row = make('div', 'fer-bar')
      row.dataset.label = name
      row.style.setProperty('--tint', this.colours[name])
      const track = make('span', 'fer-track')
      const fill = make('span', 'fer-fill')
      const raw = make('span', 'fer-raw')
      const number = make('span')
      track.append(fill, raw)
      row.append(make('span', '', name), track, number)
      bars.append(row)
      return { fill, raw, number }
    })
    element.append(title, bars)
    return { element, label, badges, percent, rows }
  }

  fill(card, face) {
    card.element.dataset.person = face.id
    card.element.dataset.label = face.label
    card.element.style.setProperty('--tint', this.colours[face.label])
    card.label.textContent = face.label === 'unknown' ? 'unknown (below the threshold)' : face.label
    card.percent.textContent = `${Math.round(100 * face.confidence)} %`
    const reasons = face.quality.map((reason) => reason.replace('_', ' '))
    if (card.badges.dataset.reasons !== reasons.join()) {
      card.badges.dataset.reasons = reasons.join()
      card.badges.replaceChildren(...reasons.map((reason) => make('span', 'fer-badge', reason)))
    }
    card.rows.forEach((row, index) => {
      row.fill.style.width = `${100 * face.probabilities[index]}%`
      row.raw.style.left = `${100 * face.raw[index]}%`
      row.number.textContent = Math.round(100 * face.probabilities[index])
    })
  }

  // People who were not there at once share a row: {id: {row, since, until}}.
  stays() {
    const stays = new Map()
    for (const [time, faces] of this.samples) {
      for (const [id] of faces) {
        if (!stays.has(id)) stays.set(id, { since: time })
        stays.get(id).until = time
      }
    }
    const ends = []
    for (const stay of stays.values()) {
      const free = ends.findIndex((end) => end < stay.since)
      stay.row = free < 0 ? ends.length : free
      ends[stay.row] = stay.until
    }
    return stays
  }

  drawTime(now) {
    const stays = this.stays()
    const rows = Math.min(MAX_ROWS, 1 + Math.max(0, ...[...stays.values()].map((stay) => stay.row)))
    const ratio = window.devicePixelRatio || 1
    const width = this.time.clientWidth
    const height = rows * ROW_PX + AXIS_PX
    if (this.time.width !== Math.round(width * ratio) || this.time.height !== Math.round(height * ratio)) {
      this.time.width = Math.round(width * ratio)
      this.time.height = Math.round(height * ratio)
      this.time.style.height = `${height}px`
    }
    const pen = this.time.getContext('2d')
    const ink = getComputedStyle(this.root).color
    pen.setTransform(ratio, 0, 0, ratio, 0, 0)
    pen.clearRect(0, 0, width, height)
    // A page just opened on a node just started spreads what there is over the whole width.
    const age = this.samples.length ? now - this.samples[0][0] : 0
    const span = Math.min(HISTORY_S, Math.max(SHORTEST_S, age))
    const at = (time) => width * (1 - (now - time) / span)
    pen.fillStyle = ink
    pen.globalAlpha = 0.06
    for (let row = 0; row < rows; row += 1) pen.fillRect(0, row * ROW_PX + NAME_PX, width, BAR_PX)
    pen.globalAlpha = 1
    this.samples.forEach((sample, index) => {
      const next = this.samples[index + 1]
      const end = Math.min(next ? next[0] : now, sample[0] + 1)
      for (const [id, label, confidence] of sample[1]) {
        const { row } = stays.get(id)
        if (row >= rows) continue
        pen.fillStyle = this.colours[label]
        const bar = Math.max(3, BAR_PX * confidence)
        const base = row * ROW_PX + NAME_PX + BAR_PX
        pen.fillRect(at(sample[0]), base - bar, at(end) - at(sample[0]) + 0.5, bar)
      }
    })
    pen.font = '11px sans-serif'
    pen.fillStyle = ink
    pen.globalAlpha = 0.85
    pen.textAlign = 'left'
    const written = []
    for (const [id, stay] of stays) {
      const left = Math.max(0, at(stay.since))
      const text = at(stay.until) - left > 60 ? `person ${id}` : `${id}`
      const reach = pen.measureText(text).width
      if (stay.row >= rows || left < written[stay.row]) continue
      written[stay.row] = left + reach + 4
      pen.fillText(text, Math.min(left, width - reach), stay.row * ROW_PX + 11)
    }
    pen.font = '12px sans-serif'
    pen.fillStyle = ink
    pen.globalAlpha = 0.75
    for (const share of [1, 0.5, 0]) {
      const ago = span * share
      const text = ago < 100 ? `${Math.round(ago)} s ago` : `${(ago / 60).toFixed(1)} min ago`
      pen.textAlign = share === 1 ? 'left' : share ? 'center' : 'right'
      pen.fillText(share ? text : 'now', at(now - ago), height - 4)
    }
    pen.globalAlpha = 1
  }

  showFigures(state) {
    const figures = [['faces', state.faces.length]]
    const more = [['model', state.model]]
    for (const [list, names] of [[figures, FIGURES], [more, MORE]]) {
      for (const [name, key, unit] of names) {
        if (key in state.diagnostics) list.push([name, state.diagnostics[key] + unit])
      }
    }
    const elapsed = performance.now() - this.shownSince
    if (elapsed > 2000) {
      this.pageRate = ((1000 * this.shown) / elapsed).toFixed(1)
      this.shown = 0
      this.shownSince = performance.now()
    }
    if (this.pageRate !== undefined) figures.push(['shown here', `${this.pageRate} fps`])
    for (const [name, value] of figures) this.showFigure(this.figures, name, value)
    for (const [name, value] of more) this.showFigure(this.more.querySelector('dl'), name, value)
    this.more.hidden = false
  }

  showFigure(list, name, value) {
    if (!this.values.has(name)) {
      const box = make('div')
      const definition = make('dd')
      box.append(make('dt', '', name), definition)
      list.append(box)
      this.values.set(name, definition)
    }
    this.values.get(name).textContent = value
  }
}
