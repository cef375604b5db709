# Copyright 2026 fer_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The page as Streamlit runs it for every viewer: six views and the way between them."""

import streamlit as st

from fer_ros.dashboard import (
    live_page,
    model_page,
    playground_page,
    report_page,
    teach_page,
    upload_page,
)
from fer_ros.dashboard.figures import icon
from fer_ros.dashboard.settings import SETTINGS

st.set_page_config(page_title='fer_ros', page_icon=icon(), layout='wide')
# Streamlit's own captions are too pale to be read easily.
st.html(
    '<style>.stMainBlockContainer{padding-top:1.2rem;padding-bottom:2rem;max-width:90rem}'
    '[data-testid=stCaptionContainer],[data-testid=stImageCaption] *{color:inherit;opacity:.9}'
    '.fer-name{font-weight:700;padding-right:1rem}'
    '@media(max-width:720px){.stElementContainer:has(.fer-name){display:none}}'
    '</style>'
)
playground = st.Page(
    playground_page.show,
    title='Playground',
    icon=':material/face:',
    url_path='playground',
    default=True,
)
live = st.Page(live_page.show, title='Live', icon=':material/videocam:', url_path='live')
pages = [
    playground,
    live,
    st.Page(upload_page.show, title='Photo or clip', icon=':material/image:', url_path='photo'),
    st.Page(teach_page.show, title='Teach', icon=':material/school:', url_path='teach'),
    st.Page(model_page.show, title='Model', icon=':material/description:', url_path='model'),
    st.Page(report_page.show, title='Reports', icon=':material/insights:', url_path='reports'),
]
# Streamlit's own bar hides behind an arrow on a phone.
page = st.navigation(pages, position='hidden')
with st.container(horizontal=True, gap='small', vertical_alignment='center'):
    st.html('<span class="fer-name">fer_ros</span>', width='content')
    for each in pages:
        st.page_link(each)
is_new_viewer = 'seen' not in st.session_state
st.session_state['seen'] = True
# A robot that is running is what its owner comes for.
if is_new_viewer and page is playground and SETTINGS.feed and SETTINGS.feed.cameras():
    st.switch_page(live)
page.run()
