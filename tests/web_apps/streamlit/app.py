"""A Streamlit app: a counter, a file that is uploaded, and one that is downloaded."""

import streamlit as st

st.title("Sales")
st.write(f"Signed in as {st.context.headers.get('X-Forwarded-User', 'nobody')}")

if st.button("Add a sale"):
    st.session_state["sales"] = st.session_state.get("sales", 0) + 1
st.write(f"{st.session_state.get('sales', 0)} sales")

file = st.file_uploader("Report")
if file is not None:
    st.write(f"{file.name} has {len(file.getbuffer())} bytes")

st.download_button("Download", data=b"sales\r\n" * 1000, file_name="sales.csv")
